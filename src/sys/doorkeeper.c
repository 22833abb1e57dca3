/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers fanotify's permission events. Rule: nobody ever waits for this process for long. It only
 * reads an event and answers it, with no call that a frozen or dead filesystem could hold up, and
 * when it is gone the kernel lets everybody in (fanotify_release(), fs/notify/fanotify, 6.12): it
 * fails open, because O_EXCL and umount decide in the end, and a door that nobody keeps any more
 * would stop the machine. */

#include "sys/doorkeeper.h"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include "sys/proc.h"
#include "util/text.h"

typedef struct Keeper {
        int group_fd;
        const Guest *guests;
        size_t n_guests;
} Keeper;

static bool is_guest(const Keeper *k, pid_t pid)
{
        for (size_t i = 0; i < k->n_guests; i++) {
                uint64_t start;

                if (k->guests[i].pid == pid)
                        return proc_start_time(pid, &start) == 0 && start == k->guests[i].start;
        }
        return getsid(pid) == getsid(0);
}

static int answer(const Keeper *k, const struct fanotify_event_metadata *event)
{
        struct fanotify_response response = { .fd = event->fd };

        if (event->fd < 0)
                return 0;
        response.response = is_guest(k, event->pid) ? FAN_ALLOW : FAN_DENY;
        if (write(k->group_fd, &response, sizeof(response)) < 0 && errno != ENOENT)
                return -errno;
        /* The kernel opened the file for us: held any longer it would keep the mount in use. */
        (void)close(event->fd);
        return 0;
}

static int keep(void *arg)
{
        const Keeper *k = arg;
        char buf[4096] __attribute__((aligned(__alignof__(struct fanotify_event_metadata))));

        for (;;) {
                const struct fanotify_event_metadata *event = (const void *)buf;
                ssize_t n = read(k->group_fd, buf, sizeof(buf));

                if (n < 0 && errno != EINTR)
                        return -errno;
                for (; n > 0 && FAN_EVENT_OK(event, n); event = FAN_EVENT_NEXT(event, n)) {
                        int r = answer(k, event);

                        if (r < 0)
                                return r;
                }
        }
}

/* Directories too: ls is how most things begin. */
static int mark(int group_fd, const char *target, dev_t dev)
{
        _cleanup_(closep) int dir_fd = -EBADF;
        struct stat st;

        dir_fd = open(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (dir_fd < 0 || fstat(dir_fd, &st) < 0)
                return -errno;
        if (st.st_dev != dev)
                return -ESTALE;
        if (fanotify_mark(group_fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_PERM | FAN_ONDIR,
                    dir_fd, NULL) < 0)
                return -errno;
        return 0;
}

int doorkeeper_start(
        const char *target, dev_t dev, const Guest *guests, size_t n_guests, Child *ret)
{
        _cleanup_(closep) int group_fd = -EBADF;
        Keeper k = { .guests = guests, .n_guests = n_guests };
        int r;

        group_fd =
                fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_LARGEFILE | O_CLOEXEC);
        if (group_fd < 0)
                return -errno;
        k.group_fd = group_fd;
        /* Whoever comes before the child answers waits for it; if it does not start, the group is
         * closed here and he goes on. */
        r = mark(group_fd, target, dev);
        return r < 0 ? r : child_start(ret, true, keep, &k);
}

bool doorkeeper_taints(void)
{
        _cleanup_(freep) char *version = NULL;

        return read_full_file("/proc/version", 4096, &version, NULL) < 0 ||
               strstr(version, "Debian");
}
