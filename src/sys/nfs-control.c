/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes what the kernel's NFS server exports and holds. exportfs(8) is asked for the first: its
 * table is read by rpc.mountd, which would give back to the next client whatever were taken from
 * the kernel alone. */

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "sys/child.h"
#include "sys/nfs.h"
#include "sys/sysfs.h"

#define UNLOCK "/proc/fs/nfsd/unlock_filesystem"
#define CLIENTS_MAX 10000

static void __attribute__((noreturn)) exec_exportfs(char *const argv[])
{
        static const char *const programs[] = { "/usr/sbin/exportfs", "/sbin/exportfs",
                "/usr/bin/exportfs" };
        static char *const environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
        int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || null_fd < 0 || dup2(null_fd, 0) < 0 ||
                dup2(null_fd, 1) < 0)
                _exit(126);
        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                (void)execve(programs[i], argv, environment);
        _exit(errno == ENOENT ? 127 : 126);
}

/* In a child that stays behind and keeps the ledger's lock, which the program has not inherited:
 * who recovers waits until it has ended. */
static int run_exportfs(void *arg)
{
        char *const *argv = arg;
        int status;
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0)
                exec_exportfs(argv);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
                return -ENOENT;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* An address with colons has to stand in brackets, its prefix length behind them. */
static char *export_argument(const NfsExport *e)
{
        const char *slash = strchr(e->client, '/');
        int n = slash ? (int)(slash - e->client) : (int)strlen(e->client);

        if (!strchr(e->client, ':'))
                return string_printf("%s:%s", e->client, e->path);
        return string_printf("[%.*s]%s:%s", n, e->client, strempty(slash), e->path);
}

/* -i: else it reads all of /etc/exports first and resolves each name in it (exportfs(8)), for which
 * the unit has no network, and which may fail or take long over what is no business of ours. */
int nfs_export(const NfsExport *e, uint64_t timeout_usec, int cancel_fd)
{
        _cleanup_(freep) char *what = export_argument(e);
        const char *argv[] = { "exportfs", "-i", "-o", e->options, what, NULL };

        return what ? child_call(run_exportfs, argv, timeout_usec, cancel_fd) : -ENOMEM;
}

int nfs_unexport(const NfsExport *e, uint64_t timeout_usec, int cancel_fd)
{
        _cleanup_(freep) char *what = export_argument(e);
        const char *argv[] = { "exportfs", "-u", what, NULL };

        return what ? child_call(run_exportfs, argv, timeout_usec, cancel_fd) : -ENOMEM;
}

typedef struct Revoke {
        const char *path;
        dev_t dev;
} Revoke;

/* One word and the end of the line, else the answer is EINVAL (write_unlock_fs(), fs/nfsd/nfsctl.c,
 * 6.1 and 6.12); what would end the word early is written as \040. */
static char *unlock_line(const char *path)
{
        char *line = malloc(4 * strlen(path) + 2), *out = line;

        for (; line && *path; path++) {
                unsigned char c = (unsigned char)*path;

                if (c > ' ' && c != '\\')
                        *out++ = (char)c;
                else
                        out += snprintf(out, 5, "\\%03o", c);
        }
        if (line)
                memcpy(out, "\n", 2);
        return line;
}

static int revoke_child(void *arg)
{
        const Revoke *revoke = arg;
        _cleanup_(freep) char *line = unlock_line(revoke->path);
        char dir[256], address[128], ctl[272];
        int r = line ? sysfs_write(UNLOCK, line) : -ENOMEM;

        if (r < 0)
                return r == -ENOENT ? 0 : r; /* its filesystem is not mounted: there is no server */
        for (unsigned i = 0; i < CLIENTS_MAX; i++) {
                r = nfs_find_client(revoke->dev, dir, address);
                if (r < 0)
                        return r == -ENOENT ? 0 : r;
                (void)snprintf(ctl, sizeof(ctl), "%s/ctl", dir);
                r = sysfs_write(ctl, "expire\n");
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return -EBUSY;
}

int nfs_revoke(const char *path, dev_t dev, uint64_t timeout_usec, int cancel_fd)
{
        Revoke revoke = { .path = path, .dev = dev };

        return child_call(revoke_child, &revoke, timeout_usec, cancel_fd);
}
