/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shutdown and sleep of the machine, as far as logind tells and lets itself be told.
 *
 *     delay    while any removal is under way: logind announces what is coming and waits for us
 *              (InhibitDelayMaxSec=, 5 s by default) while what is not committed is undone
 *     block    from the first step that takes something down, until the end, except while a person
 *              is waited for: nobody but root, who may go over it (up to systemd 256 without being
 *              told), shuts down or suspends
 *
 * Both, because a block is looked at when somebody asks and a delay when it happens: the delay
 * catches who went over the block, and a freeze that began after the question. Who reaches past
 * logind meets the kernel (a task that sleeps in a frozen filesystem lets no suspend pass) and the
 * service manager, whose stop of the unit is waited for by the shutdown.
 *
 * A lock is a descriptor: it is gone when it is closed, also by our death. */

#include "manager-shutdown.h"

#include <fcntl.h>

#include "util/broadcast.h"
#include "util/log.h"
#include "util/text.h"

#define LOGIN_NAME "org.freedesktop.login1"
#define LOGIN_PATH "/org/freedesktop/login1"
#define LOGIN_INTERFACE LOGIN_NAME ".Manager"
/* A logind that hangs is one without locks, and is asked again with the next change. */
#define ASK_USEC (10 * USEC_PER_SEC)

typedef struct Lock {
        Shutdown *owner;
        const char *mode;
        int fd;
        uint64_t about; /* the removal its reason names; 0: several */
        bool refused;   /* not asked for again until it was not wanted, or logind is another one */
        sd_bus_slot *asked;
} Lock;

/* What logind announces, and what it means for a removal. */
typedef struct Notice {
        const char *member;
        const char *coming; /* for the journal and the cancelled removals */
        const char *refusal;
} Notice;

static const Notice notices[] = {
        { "PrepareForShutdown", "the machine shuts down",
                "the machine is shutting down; ask again when it is up" },
        { "PrepareForSleep", "the machine goes to sleep",
                "the machine is going to sleep; ask again when it is awake" },
};

typedef struct Watched {
        Shutdown *owner;
        const Notice *notice;
        bool under_way;
        sd_bus_slot *match;
} Watched;

struct Shutdown {
        Manager *manager;
        Lock locks[_SHUTDOWN_LOCK_MAX];
        Watched watched[ELEMENTSOF(notices)];
        sd_bus_slot *owner_match;
        bool told; /* that there is no logind */
};

/* --- what is wanted --- */

/* These may wait for days, and leave nothing that a shutdown or a sleep could hurt: services and
 * processes that have been asked to end, which a shutdown ends as well, and a disk that is kept
 * open. What is not named here counts as taken down. */
static const StepOps *const harmless[] = { &step_query, &step_announce, &step_gate, &step_prepare,
        &step_stop_units, &step_opengate, &step_signal, &step_claim, &step_confirm };

static bool is_harmless(const StepOps *ops)
{
        for (size_t i = 0; i < ELEMENTSOF(harmless); i++)
                if (ops == harmless[i])
                        return true;
        return false;
}

static bool is_torn(const Removal *r)
{
        if (r->committed || r->state == REMOVAL_ROLLING_BACK || r->frozen_since_usec > 0)
                return true;
        /* Filesystems are unmounted by then, whole and at rest; the answer may never come. */
        if (r->state == REMOVAL_WAITING)
                return false;
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->steps[i] != STEP_PENDING && r->steps[i] != STEP_SKIPPED &&
                        !is_harmless(r->plan->steps[i].ops))
                        return true;
        return false;
}

unsigned shutdown_locks_wanted(const Manager *m)
{
        unsigned wanted = 0;

        for (size_t i = 0; i < m->n_removals; i++) {
                const Removal *r = m->removals[i];

                if (!removal_alive(r) || r->request->dry_run)
                        continue;
                wanted |= 1U << SHUTDOWN_LOCK_DELAY;
                if (is_torn(r))
                        wanted |= 1U << SHUTDOWN_LOCK_BLOCK;
        }
        return wanted;
}

/* --- the locks --- */

static void lock_drop(Lock *lock)
{
        lock->asked = sd_bus_slot_unref(lock->asked);
        lock->fd = safe_close(lock->fd);
        lock->refused = false;
}

/* Not started for this, and not there in a container or a small system: nothing is wrong then. */
static void lock_refused(Lock *lock, const sd_bus_error *e)
{
        Shutdown *s = lock->owner;
        bool absent = sd_bus_error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
                      sd_bus_error_has_name(e, SD_BUS_ERROR_SERVICE_UNKNOWN);

        lock->refused = true;
        /* No lock is given while what it is for is under way (method_inhibit(), logind-dbus.c); it
         * is asked for once more at the end of that. */
        if (s->told || shutdown_refuses(s))
                return;
        s->told = true;
        log_message(absent ? LOG_INFO : LOG_WARNING,
                "logind %s: a shutdown or suspend is not held back while memory is removed%s%s",
                absent ? "does not run" : "gives no lock", absent ? "" : ": ",
                absent ? "" : strna(e->message));
}

static int on_lock(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Lock *lock = userdata;
        int fd = -EBADF, r;

        lock->asked = sd_bus_slot_unref(lock->asked);
        if (sd_bus_message_is_method_error(reply, NULL)) {
                lock_refused(lock, sd_bus_message_get_error(reply));
                return 0;
        }
        r = sd_bus_message_read(reply, "h", &fd);
        /* The message keeps its own. No worker may inherit ours: it would hold the lock for us. */
        fd = r < 0 ? r : fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0) {
                log_warning("logind's answer cannot be used: %s", strerror(r < 0 ? -r : errno));
                lock->refused = true;
                return 0;
        }
        (void)safe_close(lock->fd);
        lock->fd = fd;
        log_debug("logind holds back shutdown and sleep for us (%s).", lock->mode);
        return 0;
}

/* The only one that is under way; NULL: there are several. */
static const Removal *only_removal(const Manager *m)
{
        const Removal *found = NULL;

        for (size_t i = 0; i < m->n_removals; i++) {
                const Removal *r = m->removals[i];

                if (!removal_alive(r) || r->request->dry_run)
                        continue;
                if (found)
                        return NULL;
                found = r;
        }
        return found;
}

/* Whether the removal that its reason names has ended while others go on. */
static bool is_outdated(const Lock *lock)
{
        const Manager *m = lock->owner->manager;

        for (size_t i = 0; lock->about > 0 && i < m->n_removals; i++)
                if (m->removals[i]->id == lock->about && removal_alive(m->removals[i]))
                        return false;
        return lock->about > 0;
}

static int lock_message(Lock *lock, sd_bus_message **ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *q = NULL;
        _cleanup_(freep) char *why = NULL;
        Manager *m = lock->owner->manager;
        const Removal *only = only_removal(m);
        int r;

        why = string_printf("Persistent memory is being removed%s%s", only ? ": " : "",
                only ? only->request->target : "");
        if (!why)
                return -ENOMEM;
        lock->about = only ? only->id : 0;
        r = sd_bus_message_new_method_call(
                m->bus, &q, LOGIN_NAME, LOGIN_PATH, LOGIN_INTERFACE, "Inhibit");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(q, false);
        if (r >= 0)
                r = sd_bus_message_append(
                        q, "ssss", "shutdown:sleep", "pmemremoved", why, lock->mode);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(q);
        return 0;
}

static void lock_ask(Lock *lock)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *q = NULL;
        int r;

        lock->asked = sd_bus_slot_unref(lock->asked);
        r = lock_message(lock, &q);
        if (r >= 0)
                r = sd_bus_call_async(
                        lock->owner->manager->bus, &lock->asked, q, on_lock, lock, ASK_USEC);
        if (r >= 0)
                return;
        lock->refused = true;
        log_warning("logind cannot be asked for a lock: %s", strerror(-r));
}

void shutdown_update(Shutdown *s)
{
        unsigned wanted = s ? shutdown_locks_wanted(s->manager) : 0;

        for (size_t i = 0; s && i < ELEMENTSOF(s->locks); i++) {
                Lock *lock = s->locks + i;

                if (!(wanted & (1U << i)))
                        lock_drop(lock);
                else if ((lock->fd < 0 || is_outdated(lock)) && !lock->asked && !lock->refused)
                        lock_ask(lock);
        }
}

/* --- what logind says --- */

static void cancel_all(Manager *m, const char *why)
{
        for (size_t i = 0; i < m->n_removals; i++)
                if (removal_alive(m->removals[i]) && removal_cancelable(m->removals[i]))
                        (void)removal_cancel(m->removals[i], why, NULL);
}

static int on_notice(sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
        Watched *w = userdata;
        Manager *m = w->owner->manager;
        int begins, r;

        if (!is_broadcast(msg))
                return 0;
        r = sd_bus_message_read(msg, "b", &begins);
        if (r < 0)
                return 0;
        w->under_way = begins;
        if (!begins) {
                for (size_t i = 0; i < ELEMENTSOF(w->owner->locks); i++)
                        w->owner->locks[i].refused = false;
                manager_settle(m);
                return 0;
        }
        if (manager_n_alive(m) > 0)
                log_info("%s: what can be undone is undone first.", w->notice->coming);
        cancel_all(m, w->notice->coming);
        manager_settle(m);
        return 0;
}

/* A logind that was restarted remembers its locks, one that was started anew does not: ours are
 * taken once more, and the old ones kept until the new ones are there. It has nothing under way
 * either way, for what it had announced is not announced again. */
static int on_owner(sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
        Shutdown *s = userdata;
        const char *name, *before, *now;
        unsigned wanted = shutdown_locks_wanted(s->manager);

        if (!is_broadcast(msg))
                return 0;
        if (sd_bus_message_read(msg, "sss", &name, &before, &now) < 0 || !*now)
                return 0;
        s->told = false;
        for (size_t i = 0; i < ELEMENTSOF(s->watched); i++)
                s->watched[i].under_way = false;
        for (size_t i = 0; i < ELEMENTSOF(s->locks); i++) {
                s->locks[i].refused = false;
                if (wanted & (1U << i))
                        lock_ask(s->locks + i);
        }
        return 0;
}

const char *shutdown_refuses(const Shutdown *s)
{
        for (size_t i = 0; s && i < ELEMENTSOF(s->watched); i++)
                if (s->watched[i].under_way)
                        return s->watched[i].notice->refusal;
        return NULL;
}

/* --- life --- */

static int add_matches(Shutdown *s)
{
        sd_bus *bus = s->manager->bus;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(notices) && r >= 0; i++) {
                s->watched[i] = (Watched){ .owner = s, .notice = notices + i };
                r = sd_bus_match_signal_async(bus, &s->watched[i].match, LOGIN_NAME, LOGIN_PATH,
                        LOGIN_INTERFACE, notices[i].member, on_notice, NULL, s->watched + i);
        }
        if (r < 0)
                return r;
        return sd_bus_add_match_async(bus, &s->owner_match,
                "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                "arg0='" LOGIN_NAME "'",
                on_owner, NULL, s);
}

int shutdown_watch(Manager *m, Shutdown **ret)
{
        static const char *const modes[_SHUTDOWN_LOCK_MAX] = {
                [SHUTDOWN_LOCK_DELAY] = "delay",
                [SHUTDOWN_LOCK_BLOCK] = "block",
        };
        Shutdown *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->manager = m;
        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                s->locks[i] = (Lock){ .owner = s, .mode = modes[i], .fd = -EBADF };
        r = add_matches(s);
        if (r < 0) {
                shutdown_free(s);
                return r;
        }
        *ret = s;
        return 0;
}

Shutdown *shutdown_free(Shutdown *s)
{
        if (!s)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(s->locks); i++)
                lock_drop(s->locks + i);
        for (size_t i = 0; i < ELEMENTSOF(s->watched); i++)
                (void)sd_bus_slot_unref(s->watched[i].match);
        (void)sd_bus_slot_unref(s->owner_match);
        free(s);
        return NULL;
}
