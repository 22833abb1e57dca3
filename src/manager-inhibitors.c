/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which inhibitors there are, how many there may be, and what follows when one goes. */

#include "manager-inhibitors.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/epoll.h>

#include "bus-signals.h"
#include "kinds.h"
#include "manager-inhibit-store.h"
#include "removal-inhibit.h"
#include "util/log.h"
#include "util/text.h"

typedef struct Lock {
        Manager *manager;
        Inhibitor *inhibitor;
        char *fdname;
        int fd;
        sd_event_source *source;
} Lock;

struct InhibitorTable {
        char *dir;
        Lock **locks;
        size_t n;
        uint64_t next_id;
};

static Lock *lock_free(Lock *l)
{
        if (!l)
                return NULL;
        (void)sd_event_source_disable_unref(l->source);
        (void)safe_close(l->fd);
        inhibitor_free(l->inhibitor);
        free(l->fdname);
        free(l);
        return NULL;
}

DEFINE_CLEANUP(Lock *, lock_free);

InhibitorTable *inhibitors_free(InhibitorTable *t)
{
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n; i++)
                lock_free(t->locks[i]);
        free(t->locks);
        free(t->dir);
        free(t);
        return NULL;
}

/* --- asking --- */

size_t inhibitors_count(const Manager *m)
{
        return m->inhibitors ? m->inhibitors->n : 0;
}

const Inhibitor *inhibitors_at(const Manager *m, size_t k)
{
        return k < inhibitors_count(m) ? m->inhibitors->locks[k]->inhibitor : NULL;
}

const Inhibitor *inhibitors_next(const Manager *m, InhibitMode mode, char *const *names, size_t *k)
{
        const Inhibitor *i;

        while ((i = inhibitors_at(m, (*k)++)))
                if (i->mode == mode && inhibitor_concerns(i, names))
                        return i;
        return NULL;
}

int inhibitors_refresh(Manager *m, const Graph *g)
{
        int r = 0;

        for (size_t k = 0; k < inhibitors_count(m) && r == 0; k++) {
                Inhibitor *i = m->inhibitors->locks[k]->inhibitor;
                char **names = NULL, id[24];
                const Node *n;

                (void)snprintf(id, sizeof(id), "%" PRIu64, i->id);
                n = graph_find(g, KIND_INHIBITOR, id);
                if (!n || !node_get(n, "names"))
                        continue;
                r = strv_split(node_get(n, "names"), &names);
                if (r < 0)
                        break;
                strv_free(i->names);
                i->names = names;
        }
        return r;
}

int inhibitors_check_room(const Manager *m, uid_t uid, Failure *f)
{
        size_t mine = 0;

        if (inhibitors_count(m) >= LIMIT_INHIBITORS)
                return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, NULL,
                        "%d inhibitors are held, and there can be no more (InhibitorsMax)",
                        LIMIT_INHIBITORS);
        for (size_t k = 0; uid != 0 && k < inhibitors_count(m); k++)
                mine += inhibitors_at(m, k)->uid == uid;
        if (mine >= LIMIT_INHIBITORS_USER)
                return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, NULL,
                        "user %u holds %d inhibitors, and one user can have no more", uid,
                        LIMIT_INHIBITORS_USER);
        return 0;
}

/* --- one comes, one goes --- */

static void say(const Inhibitor *i, const char *what)
{
        log_info("Inhibitor %" PRIu64 " (%s, %s%s) of %s (pid %d, uid %u) %s: %s", i->id,
                inhibit_mode_to_string(i->mode), inhibitor_is_general(i) ? "everything" : "",
                i->target, i->who, i->pid, i->uid, what, i->why);
}

static void lock_drop(Lock *l)
{
        Manager *m = l->manager;
        InhibitorTable *t = m->inhibitors;

        say(l->inhibitor, "is let go");
        inhibit_store_drop(t->dir, l->inhibitor->id, l->fdname);
        for (size_t k = 0; k < t->n; k++) {
                if (t->locks[k] != l)
                        continue;
                t->n--;
                memmove(&t->locks[k], &t->locks[k + 1], (t->n - k) * sizeof(Lock *));
                break;
        }
        lock_free(l);
        bus_signal_inhibitors(m);
        for (size_t k = 0; k < m->n_removals; k++)
                removal_delay_look(m->removals[k]);
}

/* All writers have closed it. What they write nobody reads. */
static int on_hang_up(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        lock_drop(userdata);
        return 0;
}

/* Takes inhibitor, name and descriptor over on success. */
static int lock_add(Manager *m, Inhibitor **i, char **fdname, int *fd)
{
        InhibitorTable *t = m->inhibitors;
        Lock **grown = reallocarray(t->locks, t->n + 1, sizeof(Lock *));
        _cleanup_(lock_freep) Lock *l = NULL;
        int r;

        if (!grown)
                return -ENOMEM;
        t->locks = grown;
        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        *l = (Lock){ .manager = m, .fd = -EBADF };
        /* HUP and ERR come unasked. */
        r = sd_event_add_io(m->event, &l->source, *fd, 0, on_hang_up, l);
        if (r < 0)
                return r;
        l->inhibitor = TAKE_PTR(*i);
        l->fdname = TAKE_PTR(*fdname);
        l->fd = TAKE_FD(*fd);
        t->next_id = MAX_OF(t->next_id, l->inhibitor->id + 1);
        t->locks[t->n++] = TAKE_PTR(l);
        return 0;
}

static int grant(Manager *m, Inhibitor **i, int fds[static 2])
{
        char name[INHIBIT_FDNAME_MAX];
        _cleanup_(freep) char *fdname = NULL;
        int r;

        (*i)->id = m->inhibitors->next_id++;
        fdname = strdup(inhibit_fdname((*i)->id, name));
        if (!fdname)
                return -ENOMEM;
        r = inhibit_store_put(m->inhibitors->dir, *i, fds[0]);
        if (r < 0)
                return r;
        r = lock_add(m, i, &fdname, &fds[0]);
        if (r < 0)
                inhibit_store_drop(m->inhibitors->dir, (*i)->id, name);
        return r;
}

int inhibitors_add(Manager *m, Inhibitor **i, int *ret_fd, Failure *f)
{
        int fds[2] = { -EBADF, -EBADF }, r;

        r = inhibitors_check_room(m, (*i)->uid, f);
        if (r < 0)
                return r;
        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                r = -errno;
        else
                r = grant(m, i, fds);
        if (r < 0) {
                (void)safe_close(fds[0]);
                (void)safe_close(fds[1]);
                return failure_set(f, FAILURE_FAILED, r, NULL,
                        "the inhibitor could not be written down, so it would not last: %s",
                        strerror(-r));
        }
        say(inhibitors_at(m, inhibitors_count(m) - 1), "is taken");
        bus_signal_inhibitors(m);
        *ret_fd = fds[1];
        return 0;
}

/* --- after a restart --- */

static int compare_ids(const void *a, const void *b)
{
        uint64_t x = ((const Restored *)a)->inhibitor->id, y = ((const Restored *)b)->inhibitor->id;

        return x < y ? -1 : x > y;
}

/* One whose name was not ours either has no number yet. */
static int adopt(Manager *m, Restored *r)
{
        if (r->inhibitor->id == 0)
                r->inhibitor->id = m->inhibitors->next_id;
        say(r->inhibitor, "is still held");
        return lock_add(m, &r->inhibitor, &r->fdname, &r->fd);
}

int inhibitors_restore(Manager *m)
{
        _cleanup_(freep) Restored *all = NULL;
        size_t n = 0;
        int r;

        m->inhibitors = calloc(1, sizeof(*m->inhibitors));
        if (!m->inhibitors)
                return -ENOMEM;
        m->inhibitors->dir = string_printf("%s/inhibitors", m->ledger_dir);
        if (!m->inhibitors->dir)
                return -ENOMEM;
        r = inhibit_store_get(m->inhibitors->dir, &all, &n);
        if (r < 0)
                return r;
        m->inhibitors->next_id = 1;
        if (n == 0)
                return 0;
        /* They come back in the reverse order (systemd 252 prepends to its list). */
        qsort(all, n, sizeof(*all), compare_ids);
        m->inhibitors->next_id = all[n - 1].inhibitor->id + 1;
        for (size_t k = 0; k < n && r == 0; k++)
                r = adopt(m, &all[k]);
        return r;
}
