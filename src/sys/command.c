/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The input is a file in memory, so that a program which does not read it blocks nobody. The end is
 * seen on a pidfd and not on the pipe: a grandchild can keep that open for ever.
 *
 * The program dies with the thread that started it (PR_SET_PDEATHSIG outlives execve(2) of what is
 * not set-user-id): after the death of a worker nothing may begin any more. */

#include "sys/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/lines.h"
#include "util/text.h"

/* SIGKILL takes microseconds, unless the program sleeps uninterruptibly: then no wait is enough. */
#define REAP_USEC (2 * USEC_PER_SEC)
/* What is read after the end: a pipe's worth. Whoever still writes then is not of interest. */
#define DRAIN_MAX 65536

typedef struct Running {
        const Command *command;
        pid_t pid;
        int pidfd;
        int output_fd;
        Lines lines;
} Running;

static int make_input(const char *text)
{
        _cleanup_(closep) int fd = memfd_create("input", MFD_CLOEXEC);
        size_t left = strlen(strempty(text));

        if (fd < 0)
                return -errno;
        while (left > 0) {
                ssize_t n = write(fd, text, left);

                if (n < 0)
                        return -errno;
                text += n;
                left -= (size_t)n;
        }
        return lseek(fd, 0, SEEK_SET) < 0 ? -errno : TAKE_FD(fd);
}

/* What the worker ignores or blocks, its program must not. */
static void default_signals(void)
{
        sigset_t none;

        for (int sig = 1; sig < NSIG; sig++)
                (void)signal(sig, SIG_DFL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const Command *c, pid_t parent, int input_fd, int output_fd)
{
        default_signals();
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || setpgid(0, 0) < 0 ||
                dup2(input_fd, STDIN_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0 ||
                dup2(output_fd, STDERR_FILENO) < 0 || chdir("/") < 0)
                _exit(COMMAND_NOT_STARTED);
        (void)close_range(STDERR_FILENO + 1, ~0U, 0);
        (void)execvpe(c->argv[0], c->argv, c->envp);
        _exit(COMMAND_NOT_STARTED);
}

static int start(Running *r)
{
        _cleanup_(closep) int input = make_input(r->command->input), write_end = -EBADF;
        pid_t parent = getpid();
        int pipe_fds[2];

        if (input < 0)
                return input;
        if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        r->output_fd = pipe_fds[0];
        write_end = pipe_fds[1];
        /* Only our end; a program takes EAGAIN from a write for an error. */
        if (fcntl(write_end, F_SETFL, 0) < 0)
                return -errno;
        r->pid = fork();
        if (r->pid < 0)
                return -errno;
        if (r->pid == 0)
                become(r->command, parent, input, write_end);
        /* Here as well: whichever comes first, before anybody is signalled it is a group. */
        (void)setpgid(r->pid, r->pid);
        r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
        return r->pidfd < 0 ? -errno : 0;
}

/* Bytes that came, 0 when there is nothing now; the end of the pipe closes it. */
static size_t read_output(Running *r)
{
        char data[4096];
        ssize_t n = r->output_fd < 0 ? 0 : read(r->output_fd, data, sizeof(data));

        if (n > 0)
                lines_take(&r->lines, data, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                r->output_fd = safe_close(r->output_fd);
        return n > 0 ? (size_t)n : 0;
}

static bool is_cancelled(const Command *c)
{
        return !c->cancelled || c->cancelled(c->userdata);
}

/* 0 when it has exited. */
static int watch(Running *r, uint64_t deadline_usec, int cancel_fd)
{
        for (;;) {
                struct pollfd p[] = {
                        { .fd = r->pidfd, .events = POLLIN },
                        { .fd = cancel_fd, .events = POLLIN },
                        { .fd = r->output_fd, .events = POLLIN },
                };
                int n = poll(p, ELEMENTSOF(p), poll_timeout_ms(deadline_usec));

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n < 0)
                        continue;
                if (p[2].revents)
                        (void)read_output(r);
                if (p[0].revents)
                        return 0;
                if (p[1].revents && is_cancelled(r->command))
                        return -ECANCELED;
                if (now_usec() >= deadline_usec)
                        return -ETIMEDOUT;
        }
}

/* The group is there as long as its leader is not reaped, so no other one is hit. */
static void signal_group(const Running *r, int sig)
{
        (void)kill(-r->pid, sig);
}

static void make_it_end(Running *r)
{
        const Command *c = r->command;

        if (c->end)
                c->end(c->userdata);
        else
                signal_group(r, SIGTERM);
        (void)watch(r, usec_add(now_usec(), c->grace_usec), -EBADF);
}

/* Its group goes with it. */
static int reap(Running *r, int *ret_signal)
{
        siginfo_t si = { 0 };

        signal_group(r, SIGKILL);
        (void)watch(r, usec_add(now_usec(), REAP_USEC), -EBADF);
        for (size_t n = 0, more = 1; more > 0 && n < DRAIN_MAX; n += more)
                more = read_output(r);
        lines_end(&r->lines);
        if (waitid(P_PIDFD, (id_t)r->pidfd, &si, WEXITED | WNOHANG) < 0)
                return -errno;
        if (si.si_pid == 0)
                return -EBUSY;
        if (si.si_code == CLD_EXITED)
                return si.si_status;
        if (ret_signal)
                *ret_signal = si.si_status;
        return -EOWNERDEAD;
}

int command_run(const Command *c, int *ret_signal)
{
        Running running = {
                .command = c,
                .pidfd = -EBADF,
                .output_fd = -EBADF,
                .lines = { .line = c->line, .userdata = c->userdata },
        };
        int r = start(&running), status = 0;

        if (r == 0) {
                r = watch(&running, usec_add(now_usec(), c->timeout_usec), c->cancel_fd);
                if (r < 0)
                        make_it_end(&running);
                status = reap(&running, ret_signal);
        } else if (running.pid > 0) {
                signal_group(&running, SIGKILL);
                (void)waitpid(running.pid, NULL, WNOHANG);
        }
        running.output_fd = safe_close(running.output_fd);
        running.pidfd = safe_close(running.pidfd);
        return r < 0 ? r : status;
}
