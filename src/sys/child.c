/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One blocking call in a process of its own. The result travels as the exit status: it cannot be
 * lost, needs no pipe and no memory, and arrives even when the parent was away meanwhile. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sys/child.h"
#include "sys/pidfd.h"
#include "util/fault.h"

/* SIGKILL takes microseconds, unless the child sleeps uninterruptibly: then no wait is enough. */
#define REAP_USEC (20 * USEC_PER_MSEC)

static void __attribute__((noreturn))
child_run(pid_t parent, bool die_with_parent, ChildFn fn, void *arg)
{
        int r;

        if (die_with_parent) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                        _exit(errno);
                /* It may have died before prctl(2), and then no signal comes. */
                if (getppid() != parent)
                        _exit(ECHILD);
        }
        r = fault_point("child-before", NULL);
        if (r == 0)
                r = fn(arg);
        if (r == 0)
                r = fault_point("child-after", NULL);
        /* No errno that reaches user space is above 133; what is would be cut to another one. */
        if (r < -255)
                r = -EIO;
        _exit(r < 0 ? -r : 0);
}

/* Forks a process that begins only when something is written to the pipe, and ends when that is
 * closed instead: what the child is for must not happen when its start is reported as failed. */
static int child_fork(int go[static 2], bool die_with_parent, ChildFn fn, void *arg, pid_t *ret)
{
        pid_t parent = getpid(), pid;
        char c;

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                (void)safe_close(go[1]);
                if (read(go[0], &c, 1) != 1)
                        _exit(ECANCELED);
                (void)safe_close(go[0]);
                child_run(parent, die_with_parent, fn, arg);
        }
        *ret = pid;
        return 0;
}

int child_start(Child *c, bool die_with_parent, ChildFn fn, void *arg)
{
        _cleanup_(closep) int go_read = -EBADF, go_write = -EBADF, fd = -EBADF;
        pid_t pid = 0;
        int go[2], r;

        if (pipe2(go, O_CLOEXEC) < 0)
                return -errno;
        go_read = go[0];
        go_write = go[1];
        r = child_fork(go, die_with_parent, fn, arg, &pid);
        if (r < 0)
                return r;
        /* Nobody but us reaps it, so the pid is still its. */
        fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                return -errno;
        /* The read end is still open here, so this raises no SIGPIPE. */
        if (write(go_write, "", 1) != 1)
                return -EIO;
        *c = (Child){ .pid = pid, .pidfd = TAKE_FD(fd) };
        return 0;
}

/* 0 when the child has exited. */
static int child_poll(const Child *c, uint64_t deadline_usec, int cancel_fd)
{
        struct pollfd p[2] = { 0 };

        p[0] = (struct pollfd){ .fd = c->pidfd, .events = POLLIN };
        p[1] = (struct pollfd){ .fd = cancel_fd, .events = POLLIN };
        for (;;) {
                int n = poll(p, ELEMENTSOF(p), poll_timeout_ms(deadline_usec));

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n < 0)
                        continue;
                /* A result that is there is told, even if it came too late to be asked for. */
                if (p[0].revents)
                        return 0;
                if (p[1].revents)
                        return -ECANCELED;
                if (n == 0 && now_usec() >= deadline_usec)
                        return -ETIMEDOUT;
        }
}

static int child_reap(Child *c, int options)
{
        siginfo_t si = { 0 };
        int r;

        do
                r = waitid(P_PIDFD, (id_t)c->pidfd, &si, WEXITED | options);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        if (si.si_pid == 0)
                return -EAGAIN;
        c->pid = 0;
        c->pidfd = safe_close(c->pidfd);
        return si.si_code == CLD_EXITED ? -si.si_status : -EOWNERDEAD;
}

int child_wait(Child *c, uint64_t deadline_usec, int cancel_fd)
{
        int r;

        if (c->pidfd < 0)
                return -ECHILD;
        r = child_poll(c, deadline_usec, cancel_fd);
        if (r < 0)
                return r;
        return child_reap(c, 0);
}

bool child_kill(Child *c)
{
        if (c->pidfd < 0)
                return true;
        if (pidfd_signal(c->pidfd, SIGKILL) >= 0)
                (void)child_poll(c, usec_add(now_usec(), REAP_USEC), -1);
        return child_reap(c, WNOHANG) != -EAGAIN;
}

void child_done(Child *c)
{
        if (child_kill(c))
                return;
        c->pid = 0;
        c->pidfd = safe_close(c->pidfd);
}

int child_call(ChildFn fn, void *arg, uint64_t timeout_usec, int cancel_fd)
{
        Child c = CHILD_INIT;
        int r;

        r = child_start(&c, true, fn, arg);
        if (r < 0)
                return r;
        r = child_wait(&c, usec_add(now_usec(), timeout_usec), cancel_fd);
        child_done(&c);
        return r;
}
