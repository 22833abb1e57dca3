/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* killwhen [--stop | --power=USEC] LINE [ROLE...]
 *
 * Waits until the ledger of a removal under way gets a line that matches LINE (an extended regular
 * expression, anchored at its beginning), then sends SIGKILL to the processes of these roles, in
 * the order given: daemon, planner, worker, guardian, below (what sleeps below the worker:
 * FIFREEZE, umount, the unbind). In the lab, to hit an instant that a shell is too slow for. --stop
 * sends SIGSTOP. Exit 0 when somebody of each role was hit; without a role it only waits. --power
 * resets the machine that long after the line, without a sync or a word to anybody. */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define DIR_NAME "/run/pmemremoved"
/* Few processes, where all of /proc would take longer than the instant lasts. */
#define CGROUP_PROCS "/sys/fs/cgroup/system.slice/pmemremoved.service/cgroup.procs"
#define TEXT_MAX (1 << 20)
#define PROCS_MAX 64
#define LEDGERS_MAX 64
#define TIMEOUT_MS 60000

typedef struct Proc {
        pid_t pid;
        const char *role;
} Proc;

static void read_text_from(const char *path, off_t at, char *buf, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : pread(fd, buf, size - 1, at);

        if (fd >= 0)
                close(fd);
        buf[n < 0 ? 0 : n] = '\0';
}

static void read_text(const char *path, char *buf, size_t size)
{
        read_text_from(path, 0, buf, size);
}

/* How far each ledger has been read: it only grows, and to read all of it again at every line takes
 * longer than the instant lasts. */
static off_t *place_in(const char *name)
{
        static struct {
                char name[256];
                off_t at;
        } places[LEDGERS_MAX];
        size_t i = 0;

        while (i < LEDGERS_MAX - 1 && places[i].name[0] && strcmp(places[i].name, name) != 0)
                i++;
        if (strcmp(places[i].name, name) != 0)
                places[i].at = 0;
        snprintf(places[i].name, sizeof(places[i].name), "%s", name);
        return &places[i].at;
}

/* Finished ledgers are memories of earlier removals. */
static bool says(const char *name, const regex_t *line)
{
        static char text[TEXT_MAX];
        off_t *at = place_in(name);
        char path[300], *end;

        snprintf(path, sizeof(path), DIR_NAME "/%s", name);
        read_text_from(path, *at, text, sizeof(text));
        end = strrchr(text, '\n');
        if (!end)
                return false;
        end[1] = '\0';
        *at += end + 1 - text;
        return !strstr(text, "\nfinished ") && regexec(line, text, 0, NULL, 0) == 0;
}

static bool is_said(const regex_t *line)
{
        DIR *d = opendir(DIR_NAME);
        bool found = false;

        for (struct dirent *e; d && !found && (e = readdir(d));)
                found = strstr(e->d_name, ".ledger") && says(e->d_name, line);
        if (d)
                closedir(d);
        return found;
}

static bool has_argument(pid_t pid, const char *argument)
{
        char path[64], words[256] = { 0 };

        snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
        read_text(path, words, sizeof(words));
        /* The second word; all are NUL-terminated. */
        return strcmp(words + strlen(words) + 1, argument) == 0;
}

static pid_t parent_of(pid_t pid)
{
        char path[64], stat[256], *end;

        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        read_text(path, stat, sizeof(stat));
        /* "PID (NAME) STATE PPID ..." */
        end = strrchr(stat, ')');
        return end && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : 0;
}

static const char *role_of(pid_t pid)
{
        char path[64], comm[64];

        snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        read_text(path, comm, sizeof(comm));
        if (strcmp(comm, "pmr-guardian\n") == 0)
                return "guardian";
        if (has_argument(pid, "--run"))
                return has_argument(parent_of(pid), "--run") ? "below" : "worker";
        if (has_argument(pid, "--recover"))
                return "recovery";
        return parent_of(pid) == 1 ? "daemon" : "planner";
}

static size_t list_procs(Proc procs[PROCS_MAX])
{
        char text[4096], *at = text;
        size_t n = 0;

        read_text(CGROUP_PROCS, text, sizeof(text));
        for (char *word; n < PROCS_MAX && (word = strsep(&at, "\n"));)
                if (*word)
                        procs[n++].pid = (pid_t)strtol(word, NULL, 10);
        for (size_t i = 0; i < n; i++)
                procs[i].role = role_of(procs[i].pid);
        return n;
}

static bool kill_role(const Proc *procs, size_t n, const char *role, int sig)
{
        bool hit = false;

        for (size_t i = 0; i < n; i++)
                if (strcmp(procs[i].role, role) == 0 && kill(procs[i].pid, sig) == 0)
                        hit = true;
        return hit;
}

/* All are found before the first is hit: the others would not wait. */
static int kill_roles(char **roles, int sig)
{
        Proc procs[PROCS_MAX];
        size_t n = list_procs(procs);
        int status = 0;

        for (char **r = roles; *r; r++)
                if (!kill_role(procs, n, *r, sig)) {
                        fprintf(stderr, "killwhen: no %s\n", *r);
                        status = 1;
                }
        for (size_t i = 0; i < n; i++)
                printf("killwhen: %s was %d\n", procs[i].role, procs[i].pid);
        return status;
}

/* Before everybody else, or the instant is over when we get a processor. */
static void hurry(void)
{
        struct sched_param high = { .sched_priority = 50 };

        if (sched_setscheduler(0, SCHED_FIFO, &high) < 0)
                perror("killwhen: SCHED_FIFO");
}

/* What the kernel does for SysRq-b: emergency_restart(), which asks no driver. */
static int cut_power(const char *usec)
{
        int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

        usleep((useconds_t)strtoul(usec, NULL, 10));
        return fd >= 0 && write(fd, "b", 1) == 1 ? 0 : 1;
}

int main(int argc, char **argv)
{
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char events[4096], pattern[512];
        bool stop = argc > 1 && strcmp(argv[1], "--stop") == 0;
        const char *power = argc > 1 && strncmp(argv[1], "--power=", 8) == 0 ? argv[1] + 8 : NULL;
        regex_t line;

        argc -= stop || power;
        argv += stop || power;
        snprintf(pattern, sizeof(pattern), "^(%s)", argc > 1 ? argv[1] : "");
        if (argc < 2 || regcomp(&line, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB) != 0 ||
                inotify_add_watch(fd, DIR_NAME, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
                fprintf(stderr,
                        "usage: killwhen [--stop | --power=USEC] LINE [ROLE...] (needs %s)\n",
                        DIR_NAME);
                return 2;
        }
        hurry();
        while (!is_said(&line)) {
                struct pollfd p = { .fd = fd, .events = POLLIN };

                if (poll(&p, 1, TIMEOUT_MS) <= 0) {
                        fprintf(stderr, "killwhen: no \"%s\" in %d ms\n", argv[1], TIMEOUT_MS);
                        return 1;
                }
                while (read(fd, events, sizeof(events)) > 0)
                        ;
        }
        regfree(&line);
        if (power)
                return cut_power(power);
        return argc > 2 ? kill_roles(argv + 2, stop ? SIGSTOP : SIGKILL) : 0;
}
