/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parent half of the worker. The daemon never waits for one: records arrive on a socket, the end on
 * a pidfd. The end is believed only from the pidfd, because the worker's children hold copies of
 * the socket and may sleep in the kernel long after it. */

#include "worker.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "reap.h"
#include "run.h"
#include "util/text.h"
#include "worker-blocked.h"

#define LEDGER_FD 3
#define SOCKET_FD 4
/* Room for the burst of records when a thousand processes are killed at once: a worker never waits
 * for its parent, and what does not fit that has to read from the ledger (run_catch_up()). */
#define SOCKET_BUFFER (1024 * 1024)
/* A worker that said its last word has only to exit; one whose exit hangs must not hold up the
 * answer, which is known. */
#define LINGER_USEC (2 * USEC_PER_SEC)
#define BLOCKED_FIRST_USEC (10 * USEC_PER_SEC)
#define BLOCKED_AGAIN_USEC (5 * USEC_PER_SEC)
#define WATCH_AGAIN_USEC (200 * USEC_PER_MSEC)

struct Worker {
        pid_t pid;
        int socket_fd;
        const WorkerOps *ops;
        void *userdata;
        bool exited;
        sd_event_source *io;
        sd_event_source *exit;
        sd_event_source *watch; /* until there is an exit */
        sd_event_source *linger;
        sd_event_source *blocked;
};

Worker *worker_free(Worker *w)
{
        if (!w)
                return NULL;
        (void)sd_event_source_disable_unref(w->io);
        (void)sd_event_source_disable_unref(w->watch);
        (void)sd_event_source_disable_unref(w->linger);
        (void)sd_event_source_disable_unref(w->blocked);
        if (w->exited)
                (void)sd_event_source_disable_unref(w->exit);
        else if (w->exit)
                reap_later(w->exit);
        else if (w->pid > 0)
                (void)waitpid(w->pid, NULL, WNOHANG);
        (void)safe_close(w->socket_fd);
        free(w);
        return NULL;
}

DEFINE_CLEANUP(Worker *, worker_free);

static void worker_ended(Worker *w, const char *status)
{
        w->ops->exited(status, w->userdata);
}

static void take_line(Worker *w, const char *line)
{
        _cleanup_(record_freep) Record *r = NULL;

        if (record_parse(line, &r) < 0)
                return;
        if (streq(r->verb, "finished")) {
                (void)sd_event_source_set_time(w->linger, usec_add(now_usec(), LINGER_USEC));
                (void)sd_event_source_set_enabled(w->linger, SD_EVENT_ONESHOT);
        }
        (void)sd_event_source_set_time(w->blocked, usec_add(now_usec(), BLOCKED_FIRST_USEC));
        w->ops->record(r, w->userdata);
}

/* All that is there now. 0: more may come, 1: end of file. ECONNRESET says, once, that it ended
 * with words of ours unread; what it said itself comes after. */
static int drain_socket(Worker *w)
{
        char line[RUN_LINE_MAX + 1];

        for (;;) {
                ssize_t n = recv(w->socket_fd, line, RUN_LINE_MAX, MSG_DONTWAIT | MSG_TRUNC);

                if (n < 0 && (errno == EINTR || errno == ECONNRESET))
                        continue;
                if (n < 0)
                        return 0;
                if (n == 0)
                        return 1;
                if (n > RUN_LINE_MAX)
                        continue;
                line[n] = '\0';
                take_line(w, line);
        }
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        Worker *w = userdata;

        if (drain_socket(w) == 1)
                return sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

static const char *exit_status(const siginfo_t *si, char *buf, size_t size)
{
        if (si->si_code == CLD_EXITED)
                (void)snprintf(buf, size, "exit status %d", si->si_status);
        else
                (void)snprintf(buf, size, "killed by SIG%s", strna(sigabbrev_np(si->si_status)));
        return buf;
}

static int on_exit_of_worker(sd_event_source *s, const siginfo_t *si, void *userdata)
{
        Worker *w = userdata;
        char status[64];

        if (!w)
                return reap_done(s);
        w->exited = true;
        (void)drain_socket(w);
        worker_ended(w, exit_status(si, status, sizeof(status)));
        return 0;
}

static int on_linger(sd_event_source *s, uint64_t usec, void *userdata)
{
        worker_ended(userdata, "finished, but its process does not leave the kernel");
        return 0;
}

static int on_blocked(sd_event_source *s, uint64_t usec, void *userdata)
{
        Worker *w = userdata;
        char text[512];

        if (worker_blocked_text(w->pid, text, sizeof(text)))
                w->ops->blocked(text, w->userdata);
        (void)sd_event_source_set_time(s, usec_add(now_usec(), BLOCKED_AGAIN_USEC));
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

/* A worker cannot be called back once it runs, and one that nobody watches would be a removal
 * without an end: where there is no descriptor for its pidfd, or no memory, it is tried again. */
static void watch(Worker *w)
{
        if (sd_event_add_child(sd_event_source_get_event(w->watch), &w->exit, w->pid, WEXITED,
                    on_exit_of_worker, w) >= 0)
                return;
        (void)sd_event_source_set_time(w->watch, usec_add(now_usec(), WATCH_AGAIN_USEC));
        (void)sd_event_source_set_enabled(w->watch, SD_EVENT_ONESHOT);
}

static int on_watch(sd_event_source *s, uint64_t usec, void *userdata)
{
        watch(userdata);
        return 0;
}

static int add_idle(
        Worker *w, sd_event *event, sd_event_time_handler_t handler, sd_event_source **ret)
{
        int r = sd_event_add_time(event, ret, CLOCK_MONOTONIC, UINT64_MAX, 0, handler, w);

        return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

/* Everything that can fail, before there is a worker. */
static int add_sources(Worker *w, sd_event *event)
{
        int r;

        r = sd_event_add_io(event, &w->io, w->socket_fd, EPOLLIN, on_io, w);
        if (r >= 0)
                r = add_idle(w, event, on_watch, &w->watch);
        if (r >= 0)
                r = add_idle(w, event, on_linger, &w->linger);
        if (r < 0)
                return r;
        return sd_event_add_time(event, &w->blocked, CLOCK_MONOTONIC,
                usec_add(now_usec(), BLOCKED_FIRST_USEC), USEC_PER_SEC, on_blocked, w);
}

static int spawn_attributes(posix_spawnattr_t *attr)
{
        sigset_t none, all;
        int r;

        (void)sigemptyset(&none);
        (void)sigfillset(&all);
        r = posix_spawnattr_setsigmask(attr, &none);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attr, &all);
        /* A session of its own: Ctrl-C at a daemon on a terminal is for the daemon, which cancels.
         */
        if (r == 0)
                r = posix_spawnattr_setflags(
                        attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
        return -r;
}

/* /proc/self/exe and not a path: after an upgrade the path is another program, which need not
 * understand the plan that this one made. */
static int spawn_self(int ledger_fd, int socket_fd, bool recover, pid_t *ret)
{
        char name[] = "pmemremoved", run[] = "--run", again[] = "--recover";
        char *argv[] = { name, run, recover ? again : NULL, NULL };
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        int r;

        if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attr) != 0)
                return -ENOMEM;
        r = -posix_spawn_file_actions_adddup2(&actions, ledger_fd, LEDGER_FD);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(&actions, socket_fd, SOCKET_FD);
        if (r == 0)
                r = spawn_attributes(&attr);
        if (r == 0)
                r = -posix_spawn(ret, "/proc/self/exe", &actions, &attr, argv, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        (void)posix_spawnattr_destroy(&attr);
        return r;
}

/* Out of the way of 3 and 4, on which they will be. */
static int move_up(int fd)
{
        int high = fcntl(fd, F_DUPFD_CLOEXEC, SOCKET_FD + 1);

        return high < 0 ? -errno : high;
}

static int make_sockets(int *ret_parent, int *ret_child)
{
        const int size = SOCKET_BUFFER;
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        /* The sender's buffer counts on a Unix socket. _FORCE passes net.core.wmem_max but asks for
         * CAP_NET_ADMIN, which the unit does not have. */
        if (setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
                (void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        *ret_parent = pair[0];
        *ret_child = pair[1];
        return 0;
}

int worker_spawn(sd_event *event, const Ledger *l, bool recover, const WorkerOps *ops,
        void *userdata, Worker **ret)
{
        _cleanup_(worker_freep) Worker *w = calloc(1, sizeof(*w));
        _cleanup_(closep) int child_socket = -EBADF, high_socket = -EBADF, high_ledger = -EBADF;
        int r;

        if (!w)
                return -ENOMEM;
        *w = (Worker){ .socket_fd = -EBADF, .ops = ops, .userdata = userdata };
        r = make_sockets(&w->socket_fd, &child_socket);
        if (r < 0)
                return r;
        r = add_sources(w, event);
        if (r < 0)
                return r;
        high_socket = move_up(child_socket);
        if (high_socket < 0)
                return high_socket;
        high_ledger = move_up(l->fd);
        if (high_ledger < 0)
                return high_ledger;
        r = spawn_self(high_ledger, high_socket, recover, &w->pid);
        if (r < 0)
                return r;
        /* One of these makes room for the pidfd. */
        child_socket = safe_close(child_socket);
        high_socket = safe_close(high_socket);
        high_ledger = safe_close(high_ledger);
        watch(w);
        *ret = TAKE_PTR(w);
        return 0;
}

void worker_hear(Worker *w)
{
        if (w)
                (void)drain_socket(w);
}

int worker_tell(Worker *w, const char *line)
{
        if (!w || send(w->socket_fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                return w ? -errno : -ENOTCONN;
        return 0;
}
