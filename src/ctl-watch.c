/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Following one removal to its end. It sleeps until the bus or the person says something; nothing
 * is polled. It never waits for ever: a daemon that dies is noticed by its name, is given a minute
 * to come back and recover, and then the client says that it does not know.
 *
 * Ctrl-C belongs to this file from the moment a request is sent: killing the client would leave a
 * removal on its way that nobody watches. The first one takes back what we asked for, the second
 * leaves. */

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "bus.h"
#include "ctl.h"
#include "util/broadcast.h"

#define RETURN_TIMEOUT_USEC (60 * USEC_PER_SEC)
#define RECONNECT_INTERVAL_USEC (1 * USEC_PER_SEC)
#define REDRAW_INTERVAL_USEC (200 * USEC_PER_MSEC)

#define MATCH_PROPERTIES                                                                           \
        "type='signal',sender='" BUS_NAME "',path_namespace='" BUS_PATH_REMOVAL "',"               \
        "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'"
#define MATCH_OWNER                                                                                \
        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"                \
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" BUS_NAME "'"

enum { SLOT_PROPERTIES, SLOT_OWNER, SLOT_CALL };

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
        Watch *w = userdata;
        const char *interface;

        if (!is_broadcast(m) || !w->path || !streq(sd_bus_message_get_path(m), w->path))
                return 0;
        if (sd_bus_message_read_basic(m, 's', &interface) < 0 ||
                !streq(interface, BUS_INTERFACE_REMOVAL))
                return 0;
        /* Also when properties were only invalidated: then they are asked for. */
        if (dict_read(w->removal, m) < 0 || sd_bus_message_enter_container(m, 'a', "s") < 0 ||
                sd_bus_message_at_end(m, false) <= 0)
                w->stale = true;
        progress_update(w->progress, w->removal);
        return 0;
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
        const char *name, *old_owner, *new_owner;
        Watch *w = userdata;

        if (!is_broadcast(m) || sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0)
                return 0;
        if (new_owner[0] == '\0') {
                w->lost_usec = usec_add(now_usec(), RETURN_TIMEOUT_USEC);
                progress_say(w->progress,
                        "pmemremoved has gone away; giving it 60 s to come back and recover.");
        } else if (w->lost_usec > 0) {
                w->lost_usec = 0;
                w->stale = true;
                progress_say(w->progress, "pmemremoved is back.");
        }
        return 0;
}

/* Before the request and before the properties are fetched, so that no change falls between. */
static int watch_subscribe(Watch *w)
{
        int r;

        r = sd_bus_add_match(
                w->c->bus, &w->slots[SLOT_PROPERTIES], MATCH_PROPERTIES, on_properties, w);
        if (r < 0)
                return r;
        r = sd_bus_add_match(w->c->bus, &w->slots[SLOT_OWNER], MATCH_OWNER, on_owner, w);
        return r < 0 ? r : 0;
}

static void watch_unsubscribe(Watch *w)
{
        for (size_t i = 0; i < ELEMENTSOF(w->slots); i++)
                w->slots[i] = sd_bus_slot_unref(w->slots[i]);
}

static int watch_signals(Watch *w)
{
        sigset_t mask;

        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGINT);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        w->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
        return w->signal_fd < 0 ? -errno : 0;
}

int watch_begin(Watch *w, Ctl *c, const char *about)
{
        int r;

        *w = (Watch){
                .c = c,
                .about = strdup(about),
                .begin_usec = now_usec(),
                .removal = dict_new(c),
                .progress = progress_new(c),
                .signal_fd = -EBADF,
        };
        if (!w->about || !w->removal || !w->progress)
                return ctl_fail(c, about, NULL, -ENOMEM);
        r = watch_signals(w);
        if (r >= 0)
                r = watch_subscribe(w);
        return r < 0 ? ctl_fail(c, about, NULL, r) : 0;
}

void watch_end(Watch *w)
{
        sigset_t mask;

        watch_unsubscribe(w);
        w->signal_fd = safe_close(w->signal_fd);
        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGINT);
        (void)sigprocmask(SIG_UNBLOCK, &mask, NULL);
        progress_free(w->progress);
        dict_free(w->removal);
        free(w->about);
        free(w->path);
        *w = (Watch){ .signal_fd = -EBADF };
}

static int on_cancel_reply(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
        const sd_bus_error *error = sd_bus_message_get_error(m);
        Watch *w = userdata;

        if (!error)
                return 0;
        progress_erase(w->progress);
        (void)ctl_fail(w->c, w->about, error, 0);
        return 0;
}

static void watch_cancel(Watch *w)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_message_new(w->c, w->path, BUS_INTERFACE_REMOVAL, "Cancel", &m);
        if (r >= 0) {
                w->slots[SLOT_CALL] = sd_bus_slot_unref(w->slots[SLOT_CALL]);
                r = sd_bus_call_async(
                        w->c->bus, &w->slots[SLOT_CALL], m, on_cancel_reply, w, PLAN_TIMEOUT_USEC);
        }
        if (r < 0)
                (void)ctl_fail(w->c, w->about, NULL, r);
        else
                progress_say(w->progress,
                        "Cancelling: what was done is being undone. Ctrl-C again leaves it alone.");
}

static void watch_detach(Watch *w)
{
        uint64_t id;

        w->detached = true;
        if (w->path && removal_path_to_id(w->path, &id) >= 0)
                progress_say(w->progress,
                        "Left; removal %" PRIu64 " goes on. 'pmemremovectl wait %" PRIu64
                        "' follows it again.",
                        id, id);
        else
                progress_say(w->progress,
                        "Left before the daemon answered; see 'pmemremovectl removals'.");
}

static void watch_interrupt(Watch *w)
{
        w->interrupts++;
        if (!w->ours || w->interrupts > 1 || w->lost_usec > 0)
                watch_detach(w);
        else if (!w->path)
                progress_say(w->progress, "Will be cancelled as soon as the daemon has answered. "
                                          "Ctrl-C again leaves.");
        else if (dict_true(w->removal, "committed"))
                progress_say(w->progress,
                        "Past the point of no return, it cannot be cancelled any more. Ctrl-C "
                        "again leaves it running.");
        else
                watch_cancel(w);
}

static void watch_read_signals(Watch *w)
{
        struct signalfd_siginfo info;

        while (!w->detached && read(w->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
                watch_interrupt(w);
}

static uint64_t watch_wake_usec(const Watch *w, uint64_t bus_usec)
{
        uint64_t wake = bus_usec;

        if (w->lost_usec > 0)
                wake = MIN_OF(wake, w->lost_usec);
        if (w->path && progress_is_live(w->progress))
                wake = MIN_OF(wake, usec_add(now_usec(), REDRAW_INTERVAL_USEC));
        return wake;
}

/* One message, or one sleep. Negative: the bus is gone. */
static int watch_turn(Watch *w)
{
        struct pollfd fds[2] = { { .fd = w->signal_fd, .events = POLLIN } };
        uint64_t wake;
        int r;

        r = sd_bus_process(w->c->bus, NULL);
        if (r != 0)
                return r;
        if (w->path && progress_is_live(w->progress))
                progress_update(w->progress, w->removal);
        fds[1].fd = sd_bus_get_fd(w->c->bus);
        r = sd_bus_get_events(w->c->bus);
        if (fds[1].fd < 0 || r < 0)
                return -ENOTCONN;
        fds[1].events = (short)r;
        r = sd_bus_get_timeout(w->c->bus, &wake);
        if (r < 0)
                return r;
        if (poll(fds, ELEMENTSOF(fds), poll_timeout_ms(watch_wake_usec(w, wake))) < 0 &&
                errno != EINTR)
                return -errno;
        if (fds[0].revents)
                watch_read_signals(w);
        return 0;
}

static int on_request_reply(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
        const sd_bus_error *error = sd_bus_message_get_error(m);
        const char *path = NULL;
        Watch *w = userdata;
        int r;

        w->answered = true;
        if (error) {
                w->status = ctl_fail(w->c, w->about, error, 0);
                if (sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
                            SD_BUS_ERROR_DISCONNECTED))
                        progress_say(w->progress,
                                "Whether the removal has begun is not known; see 'pmemremovectl "
                                "removals'.");
                return 0;
        }
        r = sd_bus_message_read_basic(m, 'o', &path);
        if (r >= 0)
                r = free_and_strdup(&w->path, path);
        if (r < 0)
                w->status = ctl_fail(w->c, w->about, NULL, r);
        else if (w->interrupts > 0)
                watch_cancel(w);
        return 0;
}

/* Asynchronous, although nothing can be done before the answer: a Ctrl-C meanwhile must not leave a
 * removal behind that has begun after the client was gone. */
int watch_request(Watch *w, const char *target, const char *plan_id)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        w->ours = true;
        r = bus_message_new(w->c, NULL, NULL, "RequestRemove", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", target);
        if (r >= 0)
                r = request_append_options(w->c, m, NULL, plan_id);
        if (r >= 0)
                r = sd_bus_call_async(
                        w->c->bus, &w->slots[SLOT_CALL], m, on_request_reply, w, PLAN_TIMEOUT_USEC);
        while (r >= 0 && !w->answered && !w->detached)
                r = watch_turn(w);
        if (r < 0)
                return ctl_fail(w->c, w->about, NULL, r);
        return w->detached ? EXIT_DETACHED : w->status;
}

static int watch_fetch(Watch *w)
{
        w->stale = false;
        w->status = bus_get_all(w->c, w->about, w->path, BUS_INTERFACE_REMOVAL, w->removal);
        if (w->status == EXIT_NOT_FOUND && w->known)
                w->status = ctl_refuse(w->c, EXIT_NO_DAEMON, SD_BUS_ERROR_UNKNOWN_OBJECT,
                        "%s: pmemremoved came back without it; how it went is not known. See "
                        "'pmemremovectl status'.",
                        w->about);
        if (w->status != 0)
                return w->status;
        w->known = true;
        progress_update(w->progress, w->removal);
        return 0;
}

static bool daemon_is_there(Ctl *c)
{
        return sd_bus_get_name_creds(c->bus, BUS_NAME, 0, NULL) >= 0;
}

/* Nobody tells when a bus comes back, so this is the one place that tries again and again. A
 * remote bus is not tried again: ssh could ask for a password each time. */
static int watch_reconnect(Watch *w)
{
        uint64_t deadline = usec_add(now_usec(), RETURN_TIMEOUT_USEC);
        struct pollfd fd = { .fd = w->signal_fd, .events = POLLIN };

        watch_unsubscribe(w);
        ctl_disconnect(w->c);
        if (!w->c->host)
                progress_say(w->progress, "The system bus has gone away; trying for 60 s.");
        while (!w->c->host && !w->detached && now_usec() < deadline) {
                if (poll(&fd, 1, poll_timeout_ms(usec_add(now_usec(), RECONNECT_INTERVAL_USEC))) >
                        0)
                        watch_detach(w);
                else if (ctl_open(w->c) >= 0 && watch_subscribe(w) >= 0) {
                        w->stale = daemon_is_there(w->c);
                        w->lost_usec = w->stale ? 0 : deadline;
                        return 0;
                } else {
                        watch_unsubscribe(w);
                        ctl_disconnect(w->c);
                }
        }
        return w->detached ? 0
                           : ctl_refuse(w->c, EXIT_NO_DAEMON, SD_BUS_ERROR_DISCONNECTED,
                                     "%s: the connection to the bus was lost; how the removal went "
                                     "is not known. See "
                                     "'pmemremovectl removals'.",
                                     w->about);
}

int watch_follow(Watch *w)
{
        int r;

        w->stale = true;
        while (w->status == 0 && !w->detached) {
                if (w->stale && watch_fetch(w) != 0)
                        break;
                /* The rest of the properties may come in a later signal than the result. */
                if (removal_is_over(w->removal))
                        return watch_fetch(w);
                r = watch_turn(w);
                if (r < 0)
                        w->status = watch_reconnect(w);
                else if (w->lost_usec > 0 && now_usec() >= w->lost_usec)
                        w->status = ctl_refuse(w->c, EXIT_NO_DAEMON, SD_BUS_ERROR_NO_REPLY,
                                "%s: pmemremoved did not come back; how the removal went is not "
                                "known. See 'systemctl status pmemremoved'.",
                                w->about);
        }
        return w->detached ? EXIT_DETACHED : w->status;
}
