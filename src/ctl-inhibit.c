/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inhibit: holds a lock against removals while a command runs, and is otherwise not there: the
 * command has its standard streams, its terminal and its exit status. inhibitors: who holds one. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "ctl.h"

/* As a shell tells them apart. */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NO_COMMAND 127

/* --- the lock --- */

static const char *last_part(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash && slash[1] ? slash + 1 : path;
}

static int lock_read(sd_bus_message *reply, int *ret)
{
        int fd, r;

        r = sd_bus_message_read_basic(reply, 'h', &fd);
        if (r < 0)
                return r;
        /* The message keeps its own until it is freed. Neither goes to the command, which could
         * hand it on to something that never ends. */
        *ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return *ret < 0 ? -errno : 0;
}

static int lock_take(Ctl *c, const char *command, int *ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *target = strempty(c->target), *about = *target ? target : "inhibit";
        int r, status;

        r = bus_message_new(c, NULL, NULL, "Inhibit", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ssss", target, c->who ?: last_part(command), c->why,
                        c->mode ?: "block");
        if (r < 0)
                return ctl_fail(c, about, NULL, r);
        status = bus_call(c, about, m, PLAN_TIMEOUT_USEC, &reply);
        if (status != 0)
                return status;
        r = lock_read(reply, ret);
        return r < 0 ? ctl_fail(c, about, NULL, r) : 0;
}

/* --- the command --- */

/* A terminal sends Ctrl-C to the whole foreground group, so the command has it already; what
 * somebody sends to us alone is meant for the command. That the terminal is gone, the kernel tells
 * the leader of a session only, and that may be us. */
static void pass_on(const struct signalfd_siginfo *si, pid_t child)
{
        if (si->ssi_code != SI_KERNEL || si->ssi_signo == SIGHUP)
                (void)kill(child, (int)si->ssi_signo);
}

static void signals_watched(sigset_t *set)
{
        static const int signals[] = { SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1,
                SIGUSR2 };

        (void)sigemptyset(set);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void)sigaddset(set, signals[i]);
}

/* The lock must not end before the command, so the command is told when we are killed. */
static _Noreturn void command_run(const sigset_t *mask, pid_t parent, char **argv)
{
        int e;

        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
                _exit(128 + SIGTERM);
        (void)sigprocmask(SIG_SETMASK, mask, NULL);
        (void)execvp(argv[0], argv);
        e = errno;
        fprintf(stderr, "pmemremovectl: %s: %s\n", argv[0], strerror(e));
        _exit(e == ENOENT ? EXIT_NO_COMMAND : EXIT_NOT_EXECUTABLE);
}

/* True: it has ended, with this status for a shell. */
static bool command_ended(pid_t child, int *ret)
{
        int status;

        if (waitpid(child, &status, WNOHANG) != child)
                return false;
        *ret = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return true;
}

static int command_wait(Ctl *c, pid_t child, int signal_fd, int lock_fd)
{
        struct pollfd p[] = { { .fd = signal_fd, .events = POLLIN }, { .fd = lock_fd } };
        int status;

        while (!command_ended(child, &status)) {
                struct signalfd_siginfo si;

                if (poll(p, ELEMENTSOF(p), -1) < 0 && errno != EINTR)
                        return ctl_fail(c, "inhibit", NULL, -errno);
                /* Nobody reads the other end: the service was stopped and its locks with it. */
                if (p[1].revents) {
                        (void)ctl_refuse(c, EXIT_NO_DAEMON, NULL,
                                "The lock is lost, because pmemremoved was stopped. The command "
                                "goes on without it.");
                        p[1].fd = -1;
                }
                if (read(signal_fd, &si, sizeof(si)) == sizeof(si) && si.ssi_signo != SIGCHLD)
                        pass_on(&si, child);
        }
        return status;
}

static int command_hold(Ctl *c, char **argv, int lock_fd)
{
        _cleanup_(closep) int signal_fd = -EBADF;
        sigset_t watched, before;
        pid_t child, self = getpid();

        /* Whoever ignores it has passed that on, and nobody would hear of the command's end. */
        (void)signal(SIGCHLD, SIG_DFL);
        signals_watched(&watched);
        if (sigprocmask(SIG_BLOCK, &watched, &before) < 0)
                return ctl_fail(c, "inhibit", NULL, -errno);
        signal_fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
        if (signal_fd < 0)
                return ctl_fail(c, "inhibit", NULL, -errno);
        child = fork();
        if (child < 0)
                return ctl_fail(c, argv[0], NULL, -errno);
        if (child == 0)
                command_run(&before, self, argv);
        return command_wait(c, child, signal_fd, lock_fd);
}

int verb_inhibit(Ctl *c, int argc, char **argv)
{
        _cleanup_(closep) int lock_fd = -EBADF;
        int status;

        if (c->host)
                return ctl_refuse(c, EXIT_USAGE, NULL,
                        "A lock is held by a process of its own machine; run 'ssh %s pmemremovectl "
                        "inhibit'.",
                        c->host);
        if (!c->why)
                return ctl_refuse(
                        c, EXIT_USAGE, NULL, "Say by --why=TEXT what the others have to wait for.");
        status = lock_take(c, argv[1], &lock_fd);
        if (status != 0)
                return status;
        /* It would have to be served while the command runs. */
        ctl_disconnect(c);
        return command_hold(c, argv + 1, lock_fd);
}

/* --- the list --- */

enum { LOCK_TARGET, LOCK_WHO, LOCK_WHY, LOCK_MODE, LOCK_UID, LOCK_PID };

static int inhibitors_load(Ctl *c, Dict *d)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r, status;

        r = bus_message_new(c, NULL, NULL, "ListInhibitors", &m);
        if (r < 0)
                return ctl_fail(c, "inhibitors", NULL, r);
        status = bus_call(c, "inhibitors", m, 0, &reply);
        if (status != 0)
                return status;
        r = dict_read_value(d, "inhibitors", reply, "a(ssssuu)");
        return r < 0 ? ctl_fail(c, "inhibitors", NULL, r) : 0;
}

static int inhibitors_print(Ctl *c, const Value *all)
{
        static const Column columns[] = { { "TARGET", 0 }, { "MODE", 0 }, { "WHO", 0 },
                { "PID", COLUMN_RIGHT | COLUMN_NUMBER }, { "UID", COLUMN_RIGHT | COLUMN_NUMBER },
                { "WHY", COLUMN_WRAP } };
        _cleanup_(table_freep) Table *t = table_new(c, "inhibitors", columns, ELEMENTSOF(columns));

        if (!t)
                return -ENOMEM;
        for (size_t i = 0; i < value_rows(all); i++) {
                const char *target = value_cell(all, i, LOCK_TARGET);

                if (!table_add(t, NULL,
                            (const char *const[]){
                                    *target || c->json ? target : "(everything)",
                                    value_cell(all, i, LOCK_MODE),
                                    value_cell(all, i, LOCK_WHO),
                                    value_cell(all, i, LOCK_PID),
                                    value_cell(all, i, LOCK_UID),
                                    value_cell(all, i, LOCK_WHY),
                            }))
                        return -ENOMEM;
        }
        return table_print(t, c);
}

int verb_inhibitors(Ctl *c, int argc, char **argv)
{
        _cleanup_(dict_freep) Dict *d = dict_new(c);
        int r, status;

        if (!d)
                return ctl_fail(c, "inhibitors", NULL, -ENOMEM);
        status = inhibitors_load(c, d);
        if (status != 0)
                return status;
        if (value_rows(dict_get(d, "inhibitors")) == 0 && !c->json && !c->no_legend)
                puts("No inhibitors.");
        r = inhibitors_print(c, dict_get(d, "inhibitors"));
        return r < 0 ? ctl_fail(c, "inhibitors", NULL, r) : 0;
}
