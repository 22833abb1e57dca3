/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Unmounts and mounts in any mount namespace, always in a child. Its rule: what the caller named is
 * looked up again inside that namespace and compared by mount id and device before anything is
 * done, from mountinfo and not by stat, which fails on a filesystem that has been shut down. */

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "sys/claim.h"
#include "sys/mounts-internal.h"
#include "sys/mounts.h"

/* Covered by the staging mount, in a mount namespace of the child's own: exists on every machine.
 */
#define STAGING_DIR "/run"

typedef struct PlaceCall {
        const MountPlace *place;
        const char *source;
        const char *root;
        const char *fstype;
        const char *fs_options;
        struct mount_attr attr;
        dev_t dev;
        bool foreign; /* an overlay that is not mounted anew, only shown there */
} PlaceCall;

static const struct {
        const char *name;
        uint64_t set;
        bool atime;
} attr_names[] = {
        { "rw", 0, false },
        { "ro", MOUNT_ATTR_RDONLY, false },
        { "nosuid", MOUNT_ATTR_NOSUID, false },
        { "nodev", MOUNT_ATTR_NODEV, false },
        { "noexec", MOUNT_ATTR_NOEXEC, false },
        { "nodiratime", MOUNT_ATTR_NODIRATIME, false },
        { "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, false },
        { "relatime", MOUNT_ATTR_RELATIME, true },
        { "noatime", MOUNT_ATTR_NOATIME, true },
};

static int attr_add(const char *name, size_t n, uint64_t *set, bool *atime)
{
        for (size_t i = 0; i < ELEMENTSOF(attr_names); i++) {
                if (strlen(attr_names[i].name) != n || memcmp(attr_names[i].name, name, n) != 0)
                        continue;
                *set |= attr_names[i].set;
                *atime = *atime || attr_names[i].atime;
                return 0;
        }
        return -EOPNOTSUPP;
}

/* mountinfo says nothing for strictatime, so the absence of both others means it. An option that is
 * not known here (an id map) cannot be given back, and a weaker mount is not the old one. */
static int attr_parse(const char *options, struct mount_attr *ret)
{
        uint64_t set = 0;
        bool atime = false;
        size_t n;
        int r;

        for (const char *p = options; *p; p += n + (p[n] == ',')) {
                n = strcspn(p, ",");
                r = attr_add(p, n, &set, &atime);
                if (r < 0)
                        return r;
        }
        *ret = (struct mount_attr){
                .attr_set = set | (atime ? 0 : MOUNT_ATTR_STRICTATIME),
                .attr_clr = MOUNT_ATTR__ATIME | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                            MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME |
                            MOUNT_ATTR_NOSYMFOLLOW,
        };
        return 0;
}

static int open_path(int dir_fd, const char *path, uint64_t resolve)
{
        struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = resolve };
        long fd;

        fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
        return fd < 0 ? -errno : (int)fd;
}

/* What is left of root below what the staging mount shows: with btrfs and subvol= among the options
 * it does not show the filesystem's own root. */
static int root_within_staging(int self_fd, const char *root, char **ret)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        const Mount *m;
        int r;

        r = mounts_read_dir(self_fd, 0, 0, &l);
        if (r < 0)
                return r;
        m = mount_list_resolve(&l, STAGING_DIR);
        if (!m || !mount_path_is_below(root, m->root))
                return -ENOENT;
        root += strlen(m->root);
        root += strspn(root, "/");
        *ret = strdup(*root ? root : ".");
        return *ret ? 0 : -ENOMEM;
}

static int clone_tree(int self_fd, const char *root)
{
        _cleanup_(closep) int staging_fd = -EBADF, root_fd = -EBADF;
        _cleanup_(freep) char *within = NULL;
        int fd, r;

        r = root_within_staging(self_fd, root, &within);
        if (r < 0)
                return r;
        staging_fd = open_path(AT_FDCWD, STAGING_DIR, 0);
        if (staging_fd < 0)
                return staging_fd;
        root_fd = open_path(
                staging_fd, within, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        if (root_fd < 0)
                return root_fd;
        fd = open_tree(root_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static bool is_overlay(const char *fstype)
{
        return streq(fstype, "overlay");
}

static bool is_same_overlay(const Mount *m, const PlaceCall *call)
{
        return is_overlay(m->fstype) && is_overlay(call->fstype) &&
               streq(m->source, call->source) && streq(m->fs_options, call->fs_options);
}

/* Every overlay is a superblock of its own, and two over one upper layer corrupt each other
 * (ovl_report_in_use(), fs/overlayfs/super.c): where it is mounted already, it is bound. */
static int stage_overlay(int self_fd, const PlaceCall *call)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        int r;

        r = mounts_read_dir(self_fd, 0, 0, &l);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l.n; i++) {
                const Mount *m = l.items + i;

                if (!is_same_overlay(m, call) || !mount_path_is_below(call->root, m->root) ||
                        mount_list_resolve(&l, m->target) != m)
                        continue;
                return mount(m->target, STAGING_DIR, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
        }
        return call->foreign ? -EOPNOTSUPP
                             : mounts_stage_overlay(call->source, call->fs_options, STAGING_DIR);
}

/* The staging mount lives in a namespace that only this child is in, so whenever the child is
 * killed the kernel takes it away: nothing is left to be found and removed later. */
/* The device for ourselves, as soon as it is nobody's. Its descriptor is closed by whoever mounts,
 * in the instant before: somebody who mounts it in a loop would be faster than any preparation. */
static int claim_moment(const PlaceCall *call)
{
        uint64_t deadline = usec_add(now_usec(), call->place->alone_usec);
        int fd = -EBUSY;

        while (call->place->alone_usec > 0 && fd == -EBUSY && now_usec() < deadline)
                fd = claim_open(call->source, call->dev);
        return fd;
}

static int stage(int self_fd, const PlaceCall *call)
{
        _cleanup_(closep) int claim_fd = -EBADF;
        int r;

        if (unshare(CLONE_NEWNS) < 0)
                return -errno;
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        if (is_overlay(call->fstype)) {
                r = stage_overlay(self_fd, call);
        } else {
                claim_fd = claim_moment(call);
                r = mounts_stage(
                        call->source, call->fstype, call->fs_options, STAGING_DIR, &claim_fd);
        }
        return r < 0 ? r : clone_tree(self_fd, call->root);
}

/* The device that is mounted in the end must be the one that was asked for. Filesystems that span
 * devices have a number of their own (major 0), which tells nothing. */
static int check_tree(int tree_fd, const PlaceCall *call, mode_t *ret_mode)
{
        struct stat st;

        if (fstat(tree_fd, &st) < 0)
                return -errno;
        if (major(st.st_dev) != 0 && st.st_dev != call->dev)
                return -ESTALE;
        *ret_mode = st.st_mode;
        return 0;
}

static int attach(int tree_fd, mode_t mode, const char *target)
{
        _cleanup_(closep) int target_fd = -EBADF;
        struct stat st;

        target_fd = open_path(AT_FDCWD, target, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
        if (target_fd < 0)
                return target_fd;
        if (fstat(target_fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode) != S_ISDIR(mode))
                return S_ISDIR(mode) ? -ENOTDIR : -EISDIR;
        if (move_mount(tree_fd, "", target_fd, "",
                    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return -errno;
        return 0;
}

/* What is attached below a shared mount becomes shared itself (attach_recursive_mnt,
 * fs/namespace.c), so that what the caller had kept to himself would spread with his next mount.
 * The peers and the master that a mount had before cannot be given back: groups have no names. */
static int set_propagation(int tree_fd, const char *propagation)
{
        struct mount_attr attr = { .propagation = MS_PRIVATE };

        if (!propagation)
                return 0;
        if (streq(propagation, "shared"))
                attr.propagation = MS_SHARED;
        else if (streq(propagation, "unbindable"))
                attr.propagation = MS_UNBINDABLE;
        return mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int target_ns_open(const MountPlace *place, int own_fd)
{
        int fd;

        if (place->ns != 0)
                return mounts_place_ns_open(place);
        fd = fcntl(own_fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
}

/* Enters the namespace; 1 when exactly that is mounted there already. */
static int enter_target(int ns_fd, int self_fd, const PlaceCall *call)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        const Mount *m;
        int r;

        if (setns(ns_fd, CLONE_NEWNS) < 0)
                return -errno;
        r = mounts_read_dir(self_fd, 0, 0, &l);
        if (r < 0)
                return r;
        m = mount_list_resolve(&l, call->place->target);
        if (!m || !streq(m->root, call->root))
                return 0;
        if (is_overlay(call->fstype))
                return is_same_overlay(m, call);
        return m->dev == call->dev || (major(m->dev) == 0 && streq(m->source, call->source));
}

/* Attributes are set before the tree is attached: there is no moment at which the mount is visible
 * with others than it had. */
static int place_tree(int tree_fd, int ns_fd, int self_fd, const PlaceCall *call)
{
        struct mount_attr attr = call->attr;
        mode_t mode;
        int r;

        r = check_tree(tree_fd, call, &mode);
        if (r < 0)
                return r;
        if (mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
                return -errno;
        r = enter_target(ns_fd, self_fd, call);
        if (r != 0)
                return r < 0 ? r : 0;
        r = attach(tree_fd, mode, call->place->target);
        return r < 0 ? r : set_propagation(tree_fd, call->place->propagation);
}

/* Looked at before the source is touched as well: a filesystem that is still mounted but shut down
 * cannot be mounted a second time. */
static int place_child(void *arg)
{
        const PlaceCall *call = arg;
        _cleanup_(closep) int self_fd = -EBADF, own_fd = -EBADF, ns_fd = -EBADF, tree_fd = -EBADF;
        int r;

        self_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        own_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        if (self_fd < 0 || own_fd < 0)
                return -errno;
        ns_fd = target_ns_open(call->place, own_fd);
        if (ns_fd < 0)
                return ns_fd;
        r = enter_target(ns_fd, self_fd, call);
        if (r != 0)
                return r < 0 ? r : 0;
        if (setns(own_fd, CLONE_NEWNS) < 0)
                return -errno;
        tree_fd = stage(self_fd, call);
        if (tree_fd < 0)
                return tree_fd;
        return place_tree(tree_fd, ns_fd, self_fd, call);
}

/* A device number without major is the filesystem's own and says nothing about the node. */
static int source_devnum(const char *source, dev_t expected, dev_t *ret)
{
        struct stat st;

        if (stat(source, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode))
                return -ENOTBLK;
        if (major(expected) != 0 && st.st_rdev != expected)
                return -ESTALE;
        *ret = st.st_rdev;
        return 0;
}

/* Layers are paths of the namespace in which the overlay was mounted, which may not be the one it
 * is found in; ours is the only one that we can speak for. */
static int check_own_namespace(ino_t ns)
{
        struct stat st;

        if (ns == 0)
                return 0;
        if (stat("/proc/self/ns/mnt", &st) < 0)
                return -errno;
        return st.st_ino == ns ? 0 : -EOPNOTSUPP;
}

int mounts_can_place(const Mount *m)
{
        struct mount_attr attr;
        dev_t dev;
        int r;

        r = attr_parse(m->vfs_options, &attr);
        if (r < 0)
                return r;
        if (is_overlay(m->fstype)) {
                r = check_own_namespace(m->ns);
                return r < 0 ? r : mounts_overlay_check(m->fs_options);
        }
        /* Below /dev only, because elsewhere the question could hang. */
        if (!mount_path_is_below(m->source, "/dev"))
                return -EOPNOTSUPP;
        return source_devnum(m->source, m->dev, &dev) < 0 ? -EOPNOTSUPP : 0;
}

int mounts_place(const MountPlace *place, const char *source, const char *root, const char *fstype,
        const char *vfs_options, const char *fs_options, uint64_t timeout_usec)
{
        PlaceCall call = {
                .place = place,
                .source = source,
                .root = root,
                .fstype = fstype,
                .fs_options = fs_options,
        };
        int r;

        r = attr_parse(vfs_options, &call.attr);
        /* One that is mounted in ours as well came from there, by propagation or by a clone of the
         * whole namespace: mounted again here, it can be given there. */
        if (is_overlay(fstype))
                call.foreign = check_own_namespace(place->ns) < 0;
        else if (r == 0)
                r = source_devnum(source, place->dev, &call.dev);
        return r < 0 ? r : child_call(place_child, &call, timeout_usec, -1);
}
