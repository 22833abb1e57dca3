/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AF_UNIX sockets that are bound to a file of an asked filesystem, and the peers they accepted,
 * which keep that file as well (net/unix/af_unix.c, unix_stream_connect). A descriptor shows a
 * socket's own inode only; which file it is bound to is told by sock_diag with the VFS attribute,
 * for one network namespace at a time, so that each is asked once, when its first process with a
 * socket comes along. A namespace that cannot be asked is passed over: the exclusive open proves.
 */

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>

#include "sys/proc-internal.h"

#define ANSWER_SECONDS 5

typedef struct BoundSocket {
        uint64_t inode;
        ProcHit *hit;
        char name[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
} BoundSocket;

typedef struct ProcSockets {
        BoundSocket *items;
        size_t n;
        ino_t *spaces; /* network namespaces that have been asked */
        size_t n_spaces;
        dev_t dev; /* of all sockets; 0: unknown yet */
} ProcSockets;

typedef struct Request {
        struct nlmsghdr header;
        struct unix_diag_req diag;
} Request;

static int add_socket(ProcSockets *l, uint64_t inode, ProcHit *hit, const struct rtattr *name)
{
        BoundSocket *grown, *s;

        grown = reallocarray(l->items, l->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        l->items = grown;
        s = grown + l->n++;
        *s = (BoundSocket){ .inode = inode, .hit = hit };
        if (name)
                memcpy(s->name, RTA_DATA(name), MIN_OF(RTA_PAYLOAD(name), sizeof(s->name) - 1));
        return 0;
}

/* The kernel's own layout of a device number, with twenty bits of minor. */
static dev_t kernel_dev(uint32_t dev)
{
        return makedev(dev >> 20, dev & 0xfffff);
}

static int look_at_answer(ProcScan *s, const struct nlmsghdr *h)
{
        const struct unix_diag_msg *m = NLMSG_DATA(h);
        const struct unix_diag_vfs *vfs;
        const struct rtattr *attrs[UNIX_DIAG_MAX + 1] = { NULL }, *a;
        ProcHit *hit;
        int rest;

        if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
                return -EBADMSG;
        a = (const struct rtattr *)(const void *)(m + 1);
        for (rest = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m))); RTA_OK(a, rest);
                a = RTA_NEXT(a, rest))
                if (a->rta_type <= UNIX_DIAG_MAX)
                        attrs[a->rta_type] = a;
        a = attrs[UNIX_DIAG_VFS];
        if (!a || RTA_PAYLOAD(a) < sizeof(*vfs))
                return 0;
        vfs = RTA_DATA(a);
        hit = proc_scan_dev(s, kernel_dev(vfs->udiag_vfs_dev));
        return hit ? add_socket(s->sockets, m->udiag_ino, hit, attrs[UNIX_DIAG_NAME]) : 0;
}

/* 1 at the end of the list. */
static int look_at_answers(ProcScan *s, const char *buf, size_t n)
{
        size_t at = 0;
        int r = 0;

        while (r == 0 && at < n) {
                const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)(buf + at);

                if (!NLMSG_OK(h, n - at))
                        return 0;
                if (h->nlmsg_type == NLMSG_DONE)
                        return 1;
                if (h->nlmsg_type == NLMSG_ERROR)
                        return -ENODATA;
                r = look_at_answer(s, h);
                /* Not NLMSG_NEXT: it takes off the padding, even where there is none. */
                at += NLMSG_ALIGN(h->nlmsg_len);
        }
        return r;
}

static int open_diag(void)
{
        const struct timeval timeout = { .tv_sec = ANSWER_SECONDS };
        const Request request = {
                .header = { .nlmsg_len = sizeof(request),
                        .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                .diag = { .sdiag_family = AF_UNIX,
                        .udiag_states = ~0U,
                        .udiag_show = UDIAG_SHOW_VFS | UDIAG_SHOW_NAME },
        };
        _cleanup_(closep) int fd = -EBADF;

        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
                send(fd, &request, sizeof(request), 0) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* In the network namespace that the worker is in. */
static int ask_sockets(ProcScan *s)
{
        char buf[32768] __attribute__((aligned(__alignof__(struct nlmsghdr))));
        _cleanup_(closep) int fd = -EBADF;
        ssize_t n;
        int r;

        fd = open_diag();
        if (fd < 0)
                return fd;
        do {
                n = recv(fd, buf, sizeof(buf), 0);
                if (n <= 0)
                        return n < 0 ? -errno : -ENODATA;
                r = look_at_answers(s, buf, (size_t)n);
        } while (r == 0);
        return r;
}

/* True the first time. */
static int is_new_space(ProcSockets *l, ino_t space)
{
        ino_t *grown;

        for (size_t i = 0; i < l->n_spaces; i++)
                if (l->spaces[i] == space)
                        return 0;
        grown = reallocarray(l->spaces, l->n_spaces + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        l->spaces = grown;
        l->spaces[l->n_spaces++] = space;
        return 1;
}

/* The worker stays where it went; nothing else of what it does knows network namespaces. */
static int enter_space(int process_fd, ino_t space)
{
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        if (stat("/proc/self/ns/net", &st) == 0 && st.st_ino == space)
                return 0;
        fd = openat(process_fd, "ns/net", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
                return -errno;
        return 0;
}

static int ask_process(ProcScan *s, int process_fd)
{
        struct stat st;
        int r;

        if (s->net_known)
                return 0;
        s->net_known = true;
        if (fstatat(process_fd, "ns/net", &st, 0) < 0)
                return 0;
        r = is_new_space(s->sockets, st.st_ino);
        if (r <= 0 || enter_space(process_fd, st.st_ino) < 0)
                return r;
        r = ask_sockets(s);
        return r == -ENOMEM ? r : 0;
}

/* A socket file that is open with O_PATH is a socket too, but not of the kernel's sockfs. */
static int need_sockets(ProcScan *s)
{
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        if (s->sockets)
                return 0;
        s->sockets = calloc(1, sizeof(*s->sockets));
        if (!s->sockets)
                return -ENOMEM;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && fstat(fd, &st) == 0)
                s->sockets->dev = st.st_dev;
        return 0;
}

int proc_scan_socket(ProcScan *s, int process_fd, dev_t dev, uint64_t inode)
{
        int r;

        r = need_sockets(s);
        if (r < 0 || dev != s->sockets->dev)
                return r;
        r = ask_process(s, process_fd);
        for (size_t i = 0; r >= 0 && i < s->sockets->n; i++) {
                const BoundSocket *b = s->sockets->items + i;

                if (b->inode == inode)
                        proc_scan_hit(s, b->hit, PROC_USE_SOCKET, b->name);
        }
        return r;
}
