/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Questions about one mount that are answered inside its namespace, by a child: is it in use, is it
 * there, what does its root say. */

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sys/mounts-internal.h"
#include "sys/mounts.h"

#define ASK_USEC (5 * USEC_PER_SEC)

/* The question leaves a mark, and asked again of a marked mount the kernel would unmount it.
 * Letting go of any reference takes the mark away (mntput(), fs/namespace.c, 6.12): done before,
 * for whoever died after asking, and after. */
static int unmark(const char *target)
{
        int fd = open(target, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        (void)safe_close(fd);
        return 0;
}

static int ask_busy(int self_fd, const MountPlace *place)
{
        int r = mounts_check_place(self_fd, place);

        if (r == 0 && mount_place_is_root(place))
                return -EBUSY;
        if (r == 0)
                r = unmark(place->target);
        if (r < 0)
                return r;
        r = umount2(place->target, MNT_EXPIRE | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
        (void)unmark(place->target);
        return r;
}

static int busy_child(void *arg)
{
        const MountPlace *place = arg;
        _cleanup_(closep) int self_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        uint64_t until = usec_add(now_usec(), BUSY_RETRY_USEC);
        int r;

        if (self_fd < 0)
                return -errno;
        r = mounts_enter(place);
        if (r < 0)
                return r == -ESRCH ? -ENOENT : r;
        while ((r = ask_busy(self_fd, place)) == -EBUSY && now_usec() < until)
                pause_usec(BUSY_PAUSE_USEC);
        return r;
}

int mounts_busy(const MountPlace *place)
{
        int r = child_call(busy_child, (void *)place, ASK_USEC, -EBADF);

        if (r == -EBUSY)
                return 1;
        return r == -EAGAIN || r == -ENOENT ? 0 : r;
}

static int present_child(void *arg)
{
        const MountPlace *place = arg;
        _cleanup_(mount_list_done) MountList l = { 0 };
        _cleanup_(closep) int self_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (self_fd < 0)
                return -errno;
        r = mounts_enter(place);
        if (r == 0)
                r = mounts_read_dir(self_fd, 0, 0, &l);
        for (size_t i = 0; i < l.n && r == 0; i++)
                if (mount_is_meant(l.items + i, place) && streq(l.items[i].target, place->target))
                        return 0;
        return r < 0 && r != -ESRCH ? r : -ENOENT;
}

int mounts_present(const MountPlace *place)
{
        int r = child_call(present_child, (void *)place, ASK_USEC, -EBADF);

        return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

typedef struct OpenCall {
        const MountPlace *place;
        int socket_fd;
} OpenCall;

static int send_fd(int socket_fd, int fd)
{
        union {
                struct cmsghdr head;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {
                .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS },
        };
        struct iovec byte = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &byte,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };

        memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
        return sendmsg(socket_fd, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

static int receive_fd(int socket_fd)
{
        union {
                struct cmsghdr head;
                char space[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        struct iovec byte = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &byte,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        int fd;

        if (recvmsg(socket_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
                return -EIO;
        if (message.msg_controllen < CMSG_LEN(sizeof(int)) || control.head.cmsg_type != SCM_RIGHTS)
                return -EIO;
        memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
        return fd;
}

static int open_child(void *arg)
{
        const OpenCall *call = arg;
        _cleanup_(closep) int self_fd = -EBADF, fd = -EBADF;
        struct stat st;
        int r;

        self_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (self_fd < 0)
                return -errno;
        r = mounts_enter(call->place);
        if (r == 0)
                r = mounts_check_place(self_fd, call->place);
        if (r < 0)
                return r == -ESRCH ? -ENOENT : r;
        fd = open(
                call->place->target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (call->place->dev != 0 && st.st_dev != call->place->dev)
                return -ESTALE;
        return send_fd(call->socket_fd, fd);
}

int mounts_open(const MountPlace *place)
{
        _cleanup_(closep) int ours = -EBADF, theirs = -EBADF;
        OpenCall call = { .place = place };
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        call.socket_fd = theirs = pair[1];
        r = child_call(open_child, &call, ASK_USEC, -EBADF);
        return r < 0 ? r : receive_fd(ours);
}
