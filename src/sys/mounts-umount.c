/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Unmounts in any mount namespace, always in a child. Its rule: what the caller named is looked up
 * again inside that namespace and compared by mount id and device before anything is done, from
 * mountinfo and not by stat, which fails on a filesystem that has been shut down. */

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "sys/mounts-internal.h"
#include "sys/mounts.h"

bool mount_path_is_below(const char *path, const char *dir)
{
        size_t n = strlen(dir);

        if (n > 0 && dir[n - 1] == '/')
                n--;
        return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static const Mount *root_mount(const MountList *l)
{
        const Mount *root = NULL;

        for (size_t i = 0; i < l->n && !root; i++) {
                const Mount *m = l->items + i;
                bool has_parent = false;

                for (size_t j = 0; j < l->n; j++)
                        has_parent = has_parent || (j != i && l->items[j].id == m->parent_id);
                if (!has_parent && streq(m->target, "/"))
                        root = m;
        }
        return root;
}

/* Of several mounts on one directory tree the lookup enters the one nearest to the root first. */
static const Mount *next_mount(const MountList *l, const Mount *at, const char *path)
{
        const Mount *best = NULL;

        for (size_t i = 0; i < l->n; i++) {
                const Mount *m = l->items + i;

                if (m == at || m->parent_id != at->id || !mount_path_is_below(path, m->target))
                        continue;
                if (!best || strlen(m->target) < strlen(best->target))
                        best = m;
        }
        return best;
}

const Mount *mount_list_resolve(const MountList *l, const char *path)
{
        const Mount *at = root_mount(l);
        size_t steps = 0;

        for (const Mount *next = at; next && steps <= l->n; steps++) {
                at = next;
                next = next_mount(l, at, path);
        }
        return at && streq(at->target, path) ? at : NULL;
}

int mounts_place_ns_open(const MountPlace *place)
{
        _cleanup_(closep) int fd = mounts_ns_open(place->ns_pid, place->ns);

        if (fd >= 0 && place->ns_id != 0 && mounts_ns_id(fd) != place->ns_id)
                return -ESRCH;
        return TAKE_FD(fd);
}

int mounts_enter(const MountPlace *place)
{
        _cleanup_(closep) int fd = -EBADF;

        if (place->ns == 0)
                return 0;
        fd = mounts_place_ns_open(place);
        if (fd < 0)
                return fd;
        return setns(fd, CLONE_NEWNS) < 0 ? -errno : 0;
}

bool mount_is_meant(const Mount *m, const MountPlace *place)
{
        return (place->id == 0 || m->id == place->id) && (place->dev == 0 || m->dev == place->dev);
}

/* Is it there, although the lookup ends elsewhere, because something hides it or moved it? */
static bool is_hidden(const MountList *l, const MountPlace *place)
{
        for (size_t i = 0; i < l->n; i++)
                if (mount_is_meant(l->items + i, place) &&
                        (place->id != 0 || streq(l->items[i].target, place->target)))
                        return true;
        return false;
}

/* A mount id alone proves nothing: the kernel gives it to the next new mount.
 * The autofs that systemd keeps below an automounted filesystem is what nothing looks like there.
 */
int mounts_check_place(int self_fd, const MountPlace *place)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        const Mount *m;
        int r;

        r = mounts_read_dir(self_fd, 0, 0, &l);
        if (r < 0)
                return r;
        m = mount_list_resolve(&l, place->target);
        if (m && mount_is_meant(m, place))
                return 0;
        if (is_hidden(&l, place))
                return -ESTALE;
        return m && !streq(m->fstype, "autofs") ? -ESTALE : -ENOENT;
}

/* Whoever asks to unmount his own root gets the filesystem remounted read-only instead, for
 * everybody, and hears that it went well (do_umount_root(), fs/namespace.c, 6.1 to 6.12). setns(2)
 * has made the namespace's root ours. It goes with its namespace only. */
bool mount_place_is_root(const MountPlace *place)
{
        return streq(place->target, "/");
}

typedef struct UmountCall {
        const MountPlace *place;
        int flags;
} UmountCall;

/* The mount cannot be pinned by a descriptor while it is checked: the descriptor would make it
 * busy. Check and umount are therefore adjacent, and repeated together. */
static int umount_once(int self_fd, const UmountCall *call)
{
        int r;

        r = mounts_check_place(self_fd, call->place);
        if (r < 0)
                return r;
        if (mount_place_is_root(call->place) && !(call->flags & MNT_DETACH))
                return -EBUSY;
        if (umount2(call->place->target, call->flags) == 0)
                return 0;
        if (errno != EINVAL && errno != ENOENT)
                return -errno;
        /* Somebody else was faster, systemd perhaps; or the mount is locked and EINVAL means that.
         */
        r = mounts_check_place(self_fd, call->place);
        return r < 0 ? r : -EINVAL;
}

static int umount_child(void *arg)
{
        const UmountCall *call = arg;
        _cleanup_(closep) int self_fd = -EBADF;
        uint64_t until;
        int r;

        /* Opened before setns(2): a container may have no /proc of its own. */
        self_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (self_fd < 0)
                return -errno;
        r = mounts_enter(call->place);
        if (r < 0)
                return r == -ESRCH ? -ENOENT : r;
        until = usec_add(now_usec(), BUSY_RETRY_USEC);
        for (;;) {
                r = umount_once(self_fd, call);
                if (r != -EBUSY || now_usec() >= until)
                        return r;
                pause_usec(BUSY_PAUSE_USEC);
        }
}

/* The child dies with its parent, as child_call() has it. A umount that is already in the kernel
 * completes all the same; one that has not begun must not happen behind the back of whoever
 * recovers from the parent's death. */
int mounts_umount_start(const MountPlace *place, Child *ret)
{
        UmountCall call = { .place = place, .flags = UMOUNT_NOFOLLOW };

        return child_start(ret, true, umount_child, &call);
}

int mounts_umount(const MountPlace *place, bool detach, uint64_t timeout_usec, int cancel_fd)
{
        UmountCall call = {
                .place = place,
                .flags = UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0),
        };

        return child_call(umount_child, &call, timeout_usec, cancel_fd);
}
