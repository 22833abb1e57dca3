/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* crowd FILE FOLDER MOUNTS PROCESSES READY
 *
 * A user without rights, in namespaces of his own: mounts the folder of FILE that often below
 * FOLDER, and has FILE open in as many processes. Run as root, becomes uid 65534. Makes READY, in
 * FOLDER, when all are there; they die with the first one. */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUEST 65534

static void check(int r, const char *what)
{
        if (r >= 0)
                return;
        perror(what);
        exit(1);
}

static void put(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        check(fd, path);
        check((int)write(fd, text, strlen(text)), path);
        close(fd);
}

/* Root of a user namespace may mount; the machine's own mounts stay what they are. */
static void enter(void)
{
        check(setresgid(GUEST, GUEST, GUEST), "setresgid");
        check(setresuid(GUEST, GUEST, GUEST), "setresuid");
        /* Its files in /proc belong to root since the change of the uid. */
        check(prctl(PR_SET_DUMPABLE, 1), "dumpable");
        check(unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
        put("/proc/self/setgroups", "deny");
        put("/proc/self/uid_map", "0 65534 1");
        put("/proc/self/gid_map", "0 65534 1");
        check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "/");
}

static void mount_often(const char *from, long n)
{
        for (long i = 0; i < n; i++) {
                char name[32];

                (void)snprintf(name, sizeof(name), "m%ld", i);
                check(mkdir(name, 0700), name);
                check(mount(from, name, NULL, MS_BIND, NULL), name);
        }
}

static void hold_often(const char *file, long n)
{
        for (long i = 0; i < n; i++) {
                pid_t pid = fork();

                check(pid, "fork");
                if (pid > 0)
                        continue;
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                check(open(file, O_RDONLY), file);
                pause();
                _exit(0);
        }
}

int main(int argc, char **argv)
{
        char from[256], *slash;

        if (argc != 6 || !(slash = strrchr(argv[1], '/'))) {
                fprintf(stderr, "usage: crowd FILE FOLDER MOUNTS PROCESSES READY\n");
                return 2;
        }
        (void)snprintf(from, sizeof(from), "%.*s", (int)(slash - argv[1]), argv[1]);
        enter();
        check(chdir(argv[2]), argv[2]);
        mount_often(from, strtol(argv[3], NULL, 10));
        hold_often(argv[1], strtol(argv[4], NULL, 10));
        check(open(argv[5], O_WRONLY | O_CREAT | O_CLOEXEC, 0644), argv[5]);
        pause();
        return 0;
}
