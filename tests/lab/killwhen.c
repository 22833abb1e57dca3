/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* killwhen WORD ROLE...
 *
 * Waits until a ledger of pmemremoved gets a line that begins with WORD, then sends SIGKILL to the
 * processes of these roles: daemon, worker, guardian, unbinder (what sleeps below the worker). In
 * the lab, to hit an instant that a shell is too slow for. Exit 0 when somebody was hit. */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define DIR_NAME "/run/pmemremoved"
#define LEDGER_MAX (1 << 20)
#define TIMEOUT_MS 60000

static bool has_word(const char *word)
{
        static char text[LEDGER_MAX];
        char needle[64];
        DIR *d = opendir(DIR_NAME);
        bool found = false;

        snprintf(needle, sizeof(needle), "\n%s", word);
        for (struct dirent *e; d && !found && (e = readdir(d));) {
                int fd = strstr(e->d_name, ".ledger") ? openat(dirfd(d), e->d_name, O_RDONLY) : -1;
                ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
                const char *at;

                if (fd >= 0)
                        close(fd);
                text[n < 0 ? 0 : n] = '\0';
                at = strstr(text, needle);
                found = at && (at[strlen(needle)] == ' ' || at[strlen(needle)] == '\n');
        }
        if (d)
                closedir(d);
        return found;
}

static void read_word(const char *pid, const char *name, char *buf, size_t size)
{
        char path[300];
        ssize_t n = 0;
        int fd;

        snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
        fd = open(path, O_RDONLY);
        if (fd >= 0) {
                n = read(fd, buf, size - 1);
                close(fd);
        }
        buf[n < 0 ? 0 : n] = '\0';
        for (ssize_t i = 0; i + 1 < n; i++)
                if (buf[i] == '\0')
                        buf[i] = ' ';
        buf[strcspn(buf, "\n")] = '\0';
}

static const char *role_of(const char *pid)
{
        char comm[64], cmdline[256], stat[256];
        int ppid = 0, worker;
        char parent[16];

        read_word(pid, "comm", comm, sizeof(comm));
        if (strcmp(comm, "pmr-guardian") == 0)
                return "guardian";
        if (strcmp(comm, "pmemremoved") != 0)
                return NULL;
        read_word(pid, "cmdline", cmdline, sizeof(cmdline));
        if (!strstr(cmdline, "--run"))
                return "daemon";
        read_word(pid, "stat", stat, sizeof(stat));
        sscanf(strrchr(stat, ')') ? strrchr(stat, ')') : "", ") %*c %d", &ppid);
        snprintf(parent, sizeof(parent), "%d", ppid);
        read_word(parent, "cmdline", cmdline, sizeof(cmdline));
        worker = !strstr(cmdline, "--run");
        return worker ? "worker" : "unbinder";
}

static int kill_roles(char **roles)
{
        DIR *d = opendir("/proc");
        int hits = 0;

        for (struct dirent *e; d && (e = readdir(d));) {
                const char *role = isdigit((unsigned char)*e->d_name) ? role_of(e->d_name) : NULL;

                for (char **r = roles; role && *r; r++)
                        if (strcmp(*r, role) == 0 && kill(atoi(e->d_name), SIGKILL) == 0) {
                                printf("killed %s %s\n", role, e->d_name);
                                hits++;
                        }
        }
        if (d)
                closedir(d);
        return hits;
}

int main(int argc, char **argv)
{
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char events[4096];

        if (argc < 3 || fd < 0 ||
                inotify_add_watch(fd, DIR_NAME, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
                fprintf(stderr, "usage: killwhen WORD ROLE... (needs %s)\n", DIR_NAME);
                return 2;
        }
        while (!has_word(argv[1])) {
                struct pollfd p = { .fd = fd, .events = POLLIN };

                if (poll(&p, 1, TIMEOUT_MS) <= 0) {
                        fprintf(stderr, "killwhen: no \"%s\" in %d ms\n", argv[1], TIMEOUT_MS);
                        return 1;
                }
                while (read(fd, events, sizeof(events)) > 0)
                        ;
        }
        return kill_roles(argv + 2) > 0 ? 0 : 1;
}
