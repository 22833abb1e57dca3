/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For tests that need mounts of their own: a private mount namespace, a scratch tmpfs in it, image
 * files on loop devices, and children that hold something until they are told to go. */

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "util/cleanup.h"

#define SCRATCH "/tmp"

static inline void write_file(const char *path, const char *text)
{
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (fd >= 0 && write(fd, text, strlen(text)) < 0)
                fd = safe_close(fd);
}

/* Root gets a mount namespace; anybody else one inside a user namespace. */
static inline int private_namespace(void)
{
        unsigned uid = getuid(), gid = getgid();
        char map[64];

        if (uid == 0) {
                if (unshare(CLONE_NEWNS) < 0)
                        return -errno;
        } else {
                if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                        return -errno;
                write_file("/proc/self/setgroups", "deny");
                (void)snprintf(map, sizeof(map), "0 %u 1", uid);
                write_file("/proc/self/uid_map", map);
                (void)snprintf(map, sizeof(map), "0 %u 1", gid);
                write_file("/proc/self/gid_map", map);
        }
        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

/* Hides SCRATCH under a tmpfs, so that whatever a test leaves behind goes with the namespace. */
static inline int private_scratch(void)
{
        int r = private_namespace();

        if (r < 0)
                return r;
        return mount("scratch", SCRATCH, "tmpfs", 0, "mode=1777") < 0 ? -errno : 0;
}

/* A loop device that goes away with its last user. -ENOENT and the like: no loop devices here. */
static inline int loop_attach(const char *image, char path[static 32])
{
        _cleanup_(closep) int control = -EBADF, file = -EBADF, loop = -EBADF;
        struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
        int n;

        control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        file = open(image, O_RDWR | O_CLOEXEC);
        if (control < 0 || file < 0)
                return -errno;
        for (unsigned i = 0; i < 10; i++) {
                n = ioctl(control, LOOP_CTL_GET_FREE);
                if (n < 0)
                        return -errno;
                (void)snprintf(path, 32, "/dev/loop%d", n);
                (void)safe_close(loop);
                loop = open(path, O_RDWR | O_CLOEXEC);
                config.fd = (unsigned)file;
                if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config) == 0)
                        return TAKE_FD(loop);
        }
        return -EBUSY;
}

/* A filesystem whose server has not even begun: whoever looks a name up in it waits until he is
 * killed or the descriptor closed. rootmode: of what lies at target, in octal digits. */
static inline int mount_fuse(const char *target, const char *rootmode)
{
        int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
        char options[64];

        (void)snprintf(
                options, sizeof(options), "fd=%d,rootmode=%s,user_id=0,group_id=0", fd, rootmode);
        if (fd < 0 || mount("none", target, "fuse", 0, options) < 0)
                return -errno;
        return fd;
}

static inline int run_quietly(const char *const *argv)
{
        int status, null;
        pid_t pid = fork();

        if (pid == 0) {
                null = open("/dev/null", O_RDWR);
                (void)dup2(null, STDOUT_FILENO);
                (void)dup2(null, STDERR_FILENO);
                (void)execvp(argv[0], (char *const *)(const void *)argv);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return -errno;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* An image of that many MiB with that filesystem. */
static inline int make_image(const char *path, const char *mkfs, unsigned mib)
{
        const char *argv[] = { mkfs, "-q", path, NULL };
        _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0 || ftruncate(fd, (off_t)mib << 20) < 0)
                return -errno;
        return run_quietly(argv);
}

typedef struct Holder {
        pid_t pid;
        int go_fd; /* closing it lets the child go */
} Holder;

/* Forks a child that runs fn, reports that it has done so and waits. fn says 0 or it is no holder.
 */
static inline Holder holder_start(int (*fn)(void *arg), void *arg)
{
        int ready[2], go[2];
        char c = 1;
        pid_t pid;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        assert_int_equal(pipe2(go, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)close(go[1]);
                c = (char)-fn(arg);
                if (write(ready[1], &c, 1) == 1 && read(go[0], &c, 1) < 0)
                        _exit(1);
                _exit(0);
        }
        (void)close(ready[1]);
        (void)close(go[0]);
        assert_int_equal(read(ready[0], &c, 1), 1);
        (void)close(ready[0]);
        assert_int_equal(c, 0);
        return (Holder){ .pid = pid, .go_fd = go[1] };
}

/* SIGKILL, because a holder whose leader has exited reads no pipe. */
static inline void holder_stop(Holder *h)
{
        (void)kill(h->pid, SIGKILL);
        (void)waitpid(h->pid, NULL, 0);
        h->go_fd = safe_close(h->go_fd);
        h->pid = 0;
}
