/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Questions about paths that somebody else wrote down: the answer may never come, so a child waits
 * for it. */

#include "sys/path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sys/child.h"

/* A local filesystem answers in microseconds. */
#define ASK_TIMEOUT_USEC (2 * USEC_PER_SEC)

typedef struct AskCall {
        const char *const *paths;
        size_t n;
        pid_t ns_pid;
        PathAnswer *answers; /* shared with the child */
} AskCall;

/* Symbolic links of another namespace are followed as its own processes would. */
static int ask_one(int root_fd, const char *path, PathAnswer *ret)
{
        struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        ret->mode = st.st_mode;
        ret->dev = st.st_dev;
        ret->rdev = st.st_rdev;
        return 0;
}

static int ask_child(void *arg)
{
        const AskCall *call = arg;
        _cleanup_(closep) int root_fd = -EBADF;
        char root[32];

        (void)snprintf(root, sizeof(root), "/proc/%d/root", call->ns_pid);
        root_fd = open(call->ns_pid > 0 ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return -errno;
        for (size_t i = 0; i < call->n; i++)
                call->answers[i].err = ask_one(root_fd, call->paths[i], call->answers + i);
        return 0;
}

int paths_ask(const char *const *paths, size_t n, pid_t ns_pid, PathAnswer *ret)
{
        AskCall call = { .paths = paths, .n = n, .ns_pid = ns_pid };
        size_t size = n * sizeof(PathAnswer);
        int r;

        if (n == 0)
                return 0;
        call.answers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (call.answers == MAP_FAILED)
                return -errno;
        for (size_t i = 0; i < n; i++)
                call.answers[i].err = -ETIMEDOUT;
        r = child_call(ask_child, &call, ASK_TIMEOUT_USEC, -EBADF);
        memcpy(ret, call.answers, size);
        (void)munmap(call.answers, size);
        return r == -ETIMEDOUT ? 0 : r;
}

int path_ask(const char *path, PathAnswer *ret)
{
        int r = paths_ask(&path, 1, 0, ret);

        return r < 0 ? r : ret->err;
}

int path_below_dev(const char *path, char *buf, size_t size)
{
        struct open_how how = { .flags = O_PATH | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS };
        _cleanup_(closep) int dev_fd = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = -EBADF;
        char link[32];
        ssize_t n;

        if (strncmp(path, "/dev/", 5) != 0)
                return -EINVAL;
        if (dev_fd < 0)
                return -errno;
        fd = (int)syscall(SYS_openat2, dev_fd, path + 5, &how, sizeof(how));
        if (fd < 0)
                return -errno;
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, buf, size);
        if (n < 0 || (size_t)n >= size)
                return n < 0 ? -errno : -ENAMETOOLONG;
        buf[n] = '\0';
        return 0;
}
