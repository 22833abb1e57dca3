/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The person's side: what a terminal can do, questions, numbers for people, and the pager. */

#include <langinfo.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "ctl.h"
#include "util/utf8.h"

char *text_escape(const char *s, const char *keep)
{
        char *ret = malloc(4 * strlen(s) + 1), *q = ret;

        if (!ret)
                return NULL;
        while (*s) {
                size_t n = 1;
                bool plain = utf8_is_plain(utf8_decode(s, &n));

                if (plain || (keep && strchr(keep, *s))) {
                        q = mempcpy(q, s, n);
                        s += n;
                        continue;
                }
                for (; n > 0; n--)
                        q += snprintf(q, 5, "\\%03o", (unsigned char)*s++);
        }
        *q = '\0';
        return ret;
}

bool terminal_is_live(void)
{
        const char *term = getenv("TERM");

        return isatty(STDOUT_FILENO) && term && !streq(term, "dumb");
}

unsigned terminal_lines(void)
{
        struct winsize ws = {};

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_row == 0)
                return 24;
        return ws.ws_row;
}

bool terminal_is_utf8(void)
{
        return streq(nl_langinfo(CODESET), "UTF-8");
}

const char *format_size(char buf[static 32], const char *bytes)
{
        static const char units[] = "BKMGTPE";
        uint64_t n, unit = 1;
        size_t i = 0;

        if (parse_u64(bytes, &n) < 0 || n == 0)
                return NULL;
        for (; i + 2 < sizeof(units) && n / unit >= 1024; i++)
                unit *= 1024;
        if (n % unit == 0)
                (void)snprintf(buf, 32, "%llu%c", (unsigned long long)(n / unit), units[i]);
        else
                (void)snprintf(buf, 32, "%.1f%c", (double)n / (double)unit, units[i]);
        return buf;
}

const char *format_seconds(char buf[static 32], uint64_t usec)
{
        if (usec < 10 * USEC_PER_MSEC)
                (void)snprintf(buf, 32, "%.1f ms", (double)usec / USEC_PER_MSEC);
        else if (usec < USEC_PER_SEC)
                (void)snprintf(buf, 32, "%.0f ms", (double)usec / USEC_PER_MSEC);
        else
                (void)snprintf(buf, 32, "%.1f s", (double)usec / USEC_PER_SEC);
        return buf;
}

int terminal_ask(const char *question)
{
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;

        if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
                return -ENOTTY;
        fflush(stdout);
        fprintf(stderr, "%s [y/N] ", question);
        if (getline(&line, &size, stdin) < 0) {
                fputc('\n', stderr); /* end of file is a no */
                return 0;
        }
        line[strcspn(line, "\n")] = '\0';
        return streq(line, "y") || streq(line, "Y") || streq(line, "yes");
}

/* Under sudo the pager runs with rights that its user does not have: no program of the user's
 * choice then, and no shell out of less. */
static const char *pager_command(void)
{
        const char *s;

        if (secure_getenv("SUDO_UID"))
                return "less -FRSX";
        s = getenv("SYSTEMD_PAGER") ?: getenv("PAGER");
        return s ?: "less -FRSX";
}

void pager_open(Ctl *c)
{
        _cleanup_(strv_freep) char **argv = NULL;
        int fds[2];

        if (c->no_pager || c->json || c->pager_pid > 0 || !terminal_is_live())
                return;
        if (strv_split(pager_command(), &argv) < 0 || !argv[0] || streq(argv[0], "cat"))
                return;
        fflush(stdout);
        if (pipe(fds) < 0)
                return;
        c->pager_pid = fork();
        if (c->pager_pid == 0) {
                (void)setenv("LESSSECURE", "1", 1);
                (void)dup2(fds[0], STDIN_FILENO);
                (void)close(fds[0]);
                (void)close(fds[1]);
                (void)execvp(argv[0], argv);
                /* No such pager: pass on what comes. */
                (void)execlp("cat", "cat", NULL);
                _exit(EXIT_FAILURE);
        }
        if (c->pager_pid > 0)
                (void)dup2(fds[1], STDOUT_FILENO);
        (void)close(fds[0]);
        (void)close(fds[1]);
}

void pager_close(Ctl *c)
{
        if (c->pager_pid <= 0)
                return;
        /* Ctrl-C belongs to the pager now; without this the shell's prompt would fight it. */
        (void)signal(SIGINT, SIG_IGN);
        fflush(stdout);
        (void)close(STDOUT_FILENO);
        while (waitpid(c->pager_pid, NULL, 0) < 0 && errno == EINTR)
                ;
        c->pager_pid = 0;
}
