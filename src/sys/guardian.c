/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guardian: whoever dies, nobody stays frozen.
 *
 * "Pipe" is one end of a SOCK_SEQPACKET pair, because a write to a pipe whose reader is gone would
 * raise SIGPIPE in the worker. Words on it, one GuardianWord a packet:
 *
 *     guardian -> worker   READY value     0, or the errno that kept it from starting
 *     guardian -> worker   EXPIRED         its deadline has passed, it thaws
 *     worker -> guardian   FREEZER value   pid of the process that sleeps in FIFREEZE
 *     worker -> guardian   RELEASED        thawed or gone: leave
 *
 * The worker's end is close-on-exec but is inherited by the children that it forks. It therefore
 * closes when the worker *and* a FIFREEZE or unbind it has under way are gone, which is what we
 * want: a thaw before the end of the unbind would let writers in (design 1).
 *
 * The guardian does not leave at its deadline but only after the other end is closed or RELEASED
 * came: a FIFREEZE that completes late must still find someone who thaws it.
 *
 * Its deadline is a timer of CLOCK_BOOTTIME, so that time in which the machine sleeps counts:
 * poll(2) measures by CLOCK_MONOTONIC, which stands still then, and after a night the filesystem
 * would stay frozen for the rest of it. (The suspend itself stops the guardian too, as it does
 * every process; one that fails at a writer in a frozen filesystem takes pm_freeze_timeout, 20 s,
 * to say so.)
 *
 * After the start the guardian uses system calls and its stack only. Heap and locks are copies of
 * what the worker held at the fork. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "sys/freeze.h"
#include "sys/guardian.h"
#include "sys/pidfd.h"
#include "sys/privileges.h"

#define GUARDIAN_NAME "pmr-guardian"
/* How often FITHAW is tried while FIFREEZE still runs. */
#define RETRY_MS 20
/* How long guardian_release() waits. The guardian answers at once unless it is inside FITHAW. */
#define RELEASE_USEC (5 * USEC_PER_SEC)
/* How long guardian_start() waits for the guardian to be locked in memory. */
#define START_USEC (10 * USEC_PER_SEC)

typedef enum GuardianVerb {
        GUARDIAN_READY,
        GUARDIAN_EXPIRED,
        GUARDIAN_FREEZER,
        GUARDIAN_RELEASED,
} GuardianVerb;

typedef struct GuardianWord {
        int32_t verb;
        int32_t value;
} GuardianWord;

typedef struct Watch {
        int fs_fd;
        int pipe_fd;    /* -EBADF: the other end is closed */
        int freezer_fd; /* pidfd; negative: nobody sleeps in FIFREEZE */
        int timer_fd;   /* -EBADF: there is no deadline */
        bool expired;
        bool thawing;
        FrostNote *note;
} Watch;

static int word_send(int fd, GuardianVerb verb, int value)
{
        GuardianWord w = { .verb = (int32_t)verb, .value = value };

        if (send(fd, &w, sizeof(w), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                return -errno;
        return 0;
}

/* 1 got one, 0 the other end is closed. Something else than a word counts as closed: then we thaw.
 */
static int word_receive(int fd, GuardianWord *ret)
{
        ssize_t n;

        do
                n = recv(fd, ret, sizeof(*ret), 0);
        while (n < 0 && errno == EINTR);
        return n == (ssize_t)sizeof(*ret);
}

static int keep_only(int a, int b)
{
        unsigned low = (unsigned)MIN_OF(a, b), high = (unsigned)MAX_OF(a, b);

        if (low > 0 && syscall(SYS_close_range, 0, low - 1, 0) < 0)
                return -errno;
        if (high - low > 1 && syscall(SYS_close_range, low + 1, high - 1, 0) < 0)
                return -errno;
        return syscall(SYS_close_range, high + 1, ~0U, 0) < 0 ? -errno : 0;
}

/* Best effort: without CAP_SYS_RESOURCE the guardian is as likely to be killed as its worker. */
static void leave_oom_killer(void)
{
        _cleanup_(closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return;
        n = write(fd, "-1000", 5);
        (void)n;
}

/* Cut loose from everything that could stop or delay us: descriptors whose other ends somebody
 * waits for, the worker's session, paging. Signals are blocked already. */
static int guardian_settle(int fs_fd, int pipe_fd)
{
        int r;

        leave_oom_killer();
        r = keep_only(fs_fd, pipe_fd);
        if (r < 0)
                return r;
        if (setsid() < 0 || chdir("/") < 0)
                return -errno;
        (void)prctl(PR_SET_NAME, GUARDIAN_NAME);
        if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
                return -errno;
        return 0;
}

/* After a resume it has expired at once, if its time came meanwhile. */
static int timer_start(uint64_t left_usec, int *ret)
{
        struct itimerspec at = { .it_value = { .tv_sec = (time_t)(left_usec / USEC_PER_SEC),
                                         .tv_nsec = (long)(left_usec % USEC_PER_SEC) * 1000 } };
        _cleanup_(closep) int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);

        if (fd < 0)
                return -errno;
        /* Zero would disarm it. */
        if (left_usec == 0)
                at.it_value.tv_nsec = 1;
        if (timerfd_settime(fd, 0, &at, NULL) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

static void freezer_set(Watch *w, pid_t pid)
{
        w->freezer_fd = safe_close(w->freezer_fd);
        /* The worker has not reaped it yet. ESRCH all the same: it is gone. */
        w->freezer_fd = (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Returns true when the guardian may leave. */
static bool word_handle(Watch *w)
{
        GuardianWord word;

        if (word_receive(w->pipe_fd, &word) == 0) {
                w->pipe_fd = safe_close(w->pipe_fd);
                w->thawing = true;
                return false;
        }
        if (word.verb == GUARDIAN_FREEZER) {
                freezer_set(w, word.value);
                /* A freeze that starts after the deadline is as unwanted as one that is over it. */
                w->thawing = w->thawing || w->expired;
        }
        return word.verb == GUARDIAN_RELEASED;
}

/* One try. Over when nobody is inside FIFREEZE any more and the answer is final. 0 and EINVAL from
 * before do not count: 6.12 answers 0 when only the kernel's own freeze is there, EINVAL while ours
 * is half done (fs/super.c). Other errors mean still frozen, unless this can never be thawed. */
static bool thaw_once(Watch *w)
{
        int gone = w->freezer_fd < 0 || pidfd_exited(w->freezer_fd) != 0, r;

        r = thaw_fs(w->fs_fd);
        if (!gone)
                return false;
        w->freezer_fd = safe_close(w->freezer_fd);
        return r == 0 || r == -EINVAL || r == -ENOTTY || r == -EOPNOTSUPP || r == -EPERM;
}

/* Refused by a filter, or no memory: it would hear of nothing that happens, and must not spin. For
 * the worker it is dead then (guardian_check()), and what it guards is thawed. */
static void give_up(Watch *w)
{
        w->pipe_fd = safe_close(w->pipe_fd);
        w->thawing = true;
        pause_usec(RETRY_MS * USEC_PER_MSEC);
}

/* Sleeps until there is a word, it is time for the next try, or the deadline has passed. Returns
 * true when the guardian may leave. */
static bool guardian_wait(Watch *w)
{
        struct pollfd p[3] = { 0 };

        p[0] = (struct pollfd){ .fd = w->pipe_fd, .events = POLLIN };
        p[1] = (struct pollfd){ .fd = w->thawing ? w->freezer_fd : -EBADF, .events = POLLIN };
        p[2] = (struct pollfd){ .fd = w->expired ? -EBADF : w->timer_fd, .events = POLLIN };
        if (poll(p, ELEMENTSOF(p), w->thawing ? RETRY_MS : -1) < 0) {
                if (errno != EINTR)
                        give_up(w);
                return false;
        }
        if (p[0].revents && word_handle(w))
                return true;
        if (p[2].revents) {
                w->expired = w->thawing = true;
                (void)word_send(w->pipe_fd, GUARDIAN_EXPIRED, 0);
        }
        return false;
}

static void guardian_watch(Watch *w)
{
        do {
                if (!w->thawing || !thaw_once(w))
                        continue;
                if (w->note)
                        w->note->thawed_usec = now_usec();
                if (w->pipe_fd < 0)
                        return;
                w->thawing = false;
        } while (!guardian_wait(w));
}

static void __attribute__((noreturn))
guardian_run(int fs_fd, int pipe_fd, uint64_t deadline_usec, FrostNote *note)
{
        Watch w = { .fs_fd = fs_fd,
                .pipe_fd = pipe_fd,
                .freezer_fd = -EBADF,
                .timer_fd = -EBADF,
                .note = note };
        uint64_t now = now_usec();
        int r;

        r = guardian_settle(fs_fd, pipe_fd);
        if (r == 0 && deadline_usec != USEC_INFINITY)
                r = timer_start(deadline_usec > now ? deadline_usec - now : 0, &w.timer_fd);
        /* One that could do more than it needs still thaws. */
        (void)privileges_lower(PRIVILEGES_GUARDIAN, 0);
        if (word_send(pipe_fd, GUARDIAN_READY, -r) < 0 || r < 0)
                _exit(EXIT_FAILURE);
        guardian_watch(&w);
        _exit(EXIT_SUCCESS);
}

/* Reaps the guardian if it ends in time. */
static bool guardian_reap(pid_t pid, uint64_t timeout_usec)
{
        _cleanup_(closep) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
        uint64_t deadline = usec_add(now_usec(), timeout_usec);
        struct pollfd p = { .fd = fd, .events = POLLIN };

        while (fd >= 0 && poll(&p, 1, poll_timeout_ms(deadline)) < 0 && errno == EINTR)
                ;
        return waitpid(pid, NULL, WNOHANG) != 0;
}

/* One that does not end is inside FITHAW, and stays with whoever inherits it. */
static void guardian_kill(pid_t pid)
{
        (void)kill(pid, SIGKILL);
        (void)guardian_reap(pid, RELEASE_USEC);
}

/* Signals are blocked over the fork, so that none can hit the guardian before it is ready. */
static pid_t guardian_fork(int fs_fd, int pipe_fd, uint64_t deadline_usec, FrostNote *note)
{
        sigset_t all, old;
        pid_t pid;
        int saved;

        (void)sigfillset(&all);
        (void)sigprocmask(SIG_BLOCK, &all, &old);
        pid = fork();
        if (pid == 0)
                guardian_run(fs_fd, pipe_fd, deadline_usec, note);
        saved = errno;
        (void)sigprocmask(SIG_SETMASK, &old, NULL);
        errno = saved;
        return pid;
}

static int guardian_ready(int pipe_fd)
{
        struct pollfd p = { .fd = pipe_fd, .events = POLLIN };
        uint64_t deadline = usec_add(now_usec(), START_USEC);
        GuardianWord w;
        int n;

        do
                n = poll(&p, 1, poll_timeout_ms(deadline));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n == 0)
                return -ETIMEDOUT;
        if (word_receive(pipe_fd, &w) == 0 || w.verb != GUARDIAN_READY)
                return -EOWNERDEAD;
        return -w.value;
}

int guardian_start(Guardian *g, int fs_fd, uint64_t deadline_usec, FrostNote *note)
{
        _cleanup_(closep) int ours = -EBADF, theirs = -EBADF;
        int pair[2], r;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        pid = guardian_fork(fs_fd, theirs, deadline_usec, note);
        if (pid < 0)
                return -errno;
        theirs = safe_close(theirs);
        r = guardian_ready(ours);
        if (r < 0) {
                guardian_kill(pid);
                return r;
        }
        *g = (Guardian){ .pid = pid, .pipe_fd = TAKE_FD(ours) };
        return 0;
}

int guardian_freezer(Guardian *g, pid_t pid)
{
        return word_send(g->pipe_fd, GUARDIAN_FREEZER, pid);
}

void guardian_dismiss(const Guardian *g)
{
        (void)word_send(g->pipe_fd, GUARDIAN_RELEASED, 0);
}

/* Looked at and left in place: whoever asks next hears it too. ECONNRESET, which comes once when it
 * died with words of ours unread, stands in front of what it said. */
int guardian_check(const Guardian *g)
{
        GuardianWord w;
        ssize_t n;

        do
                n = recv(g->pipe_fd, &w, sizeof(w), MSG_PEEK | MSG_DONTWAIT);
        while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        if (n < 0)
                return errno == EAGAIN ? 0 : -errno;
        return n == (ssize_t)sizeof(w) && w.verb == GUARDIAN_EXPIRED ? -ETIMEDOUT : -EOWNERDEAD;
}

void guardian_release(Guardian *g)
{
        if (g->pid <= 0)
                return;
        /* If it cannot be said, the close below makes it leave, after one needless FITHAW. */
        (void)word_send(g->pipe_fd, GUARDIAN_RELEASED, 0);
        g->pipe_fd = safe_close(g->pipe_fd);
        if (!guardian_reap(g->pid, RELEASE_USEC))
                guardian_kill(g->pid);
        g->pid = 0;
}
