/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mounts of a filesystem in every mount namespace, and the facts that only a mounted filesystem
 * tells. */

#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/fstab.h"
#include "sys/mounts.h"
#include "sys/units.h"
#include "sys/xfs.h"

/* Listing the inodes of a very full filesystem may take longer than the answer is worth; without
 * one the forced road stays closed. */
#define PAGES_TIMEOUT_USEC (5 * USEC_PER_SEC)

/* xfs and ext4 show the block device's number; btrfs and others have one of their own, so there the
 * source decides. */
Node *holder_mount_disk(const Graph *g, const Mount *m)
{
        Node *n = holder_disk_by_dev(g, m->dev);
        struct stat st;

        if (n || major(m->dev) != 0 || !m->source || strncmp(m->source, "/dev/", 5) != 0)
                return n;
        if (stat(m->source, &st) < 0 || !S_ISBLK(st.st_mode))
                return NULL;
        return holder_disk_by_dev(g, st.st_rdev);
}

static int set_mount(Node *n, const Mount *m)
{
        char devnum[DEVNUM_MAX];
        int r;

        r = node_set(n, "target", m->target);
        if (r == 0)
                r = node_set(n, "dev", format_devnum(devnum, m->dev));
        if (r == 0)
                r = node_set(n, "root", m->root);
        if (r == 0)
                r = node_setf(n, "ns", "%ju", (uintmax_t)m->ns);
        if (r == 0 && m->ns_id != 0)
                r = node_setf(n, "ns-id", "%" PRIu64, m->ns_id);
        if (r == 0)
                r = node_setf(n, "ns-pid", "%d", m->ns_pid);
        if (r == 0)
                r = node_set(n, "options", m->vfs_options);
        if (r == 0)
                r = node_set(n, "fs-options", m->fs_options);
        if (r == 0)
                r = node_set(n, "fstype", m->fstype);
        if (r == 0)
                r = node_set(n, "source", m->source);
        if (r == 0)
                r = node_set(n, "propagation", m->propagation);
        return r;
}

/* The unit that could mount it again, and the automount point below it, if there are unit files. */
static int set_unit(Node *n, const Mount *m)
{
        char name[UNIT_NAME_MAX];
        int r = 0;

        if (m->ns_pid != 1 || unit_name_of_path(m->target, "mount", name) < 0 ||
                !unit_file_exists(name))
                return 0;
        r = node_set(n, "unit", name);
        if (r == 0 && fstab_waits(FSTAB, m->target) > 0)
                r = node_set(n, "fstab", "waits");
        if (r == 0 && unit_name_of_path(m->target, "automount", name) == 0 &&
                unit_file_exists(name))
                r = node_set(n, "automount", name);
        return r;
}

int holder_add_mount(HolderScan *scan, Node *below, const Mount *m, Node **ret)
{
        char id[24];
        int r = 0;

        (void)snprintf(id, sizeof(id), "%" PRIu64, m->id);
        *ret = graph_find(scan->graph, KIND_MOUNT, id);
        if (!*ret) {
                r = graph_add(scan->graph, KIND_MOUNT, id, ret);
                if (r == 0)
                        r = node_set(*ret, "id", id);
                if (r == 0)
                        r = set_mount(*ret, m);
                if (r == 0)
                        r = set_unit(*ret, m);
        }
        return r < 0 ? r : graph_link(*ret, below);
}

/* --- facts about a mounted filesystem --- */

/* Never by a path from here: above it may lie, in that namespace, what a dead server has to answer
 * for, and a planner that sleeps there keeps a place from everybody. */
static int open_root(const Node *mount)
{
        const MountPlace place = {
                .ns_pid = (pid_t)node_get_u64(mount, "ns-pid"),
                .ns = (ino_t)node_get_u64(mount, "ns"),
                .ns_id = node_get_u64(mount, "ns-id"),
                .id = node_get_u64(mount, "id"),
                .target = node_get(mount, "target"),
        };

        return mounts_open(&place);
}

/* The path is looked up again, so it is compared again. */
static bool is_filesystem(int fd, const Node *fs)
{
        char devnum[DEVNUM_MAX];
        struct stat st;

        return fstat(fd, &st) == 0 && node_has(fs, "dev", format_devnum(devnum, st.st_dev));
}

static int learn_xfs(Node *fs, int fd)
{
        const Node *disk = fs->lower[0];
        XfsInfo info;
        uint64_t pages;
        int r;

        if (xfs_info(fd, &info) < 0)
                return 0;
        r = node_set(fs, "rmapbt", info.rmapbt ? "yes" : "no");
        if (r == 0)
                r = node_set(fs, "realtime", info.realtime ? "yes" : "no");
        if (r == 0)
                r = node_setf(fs, "reach", "%" PRIu64, info.reach);
        if (r == 0 && xfs_cached_pages(fd, node_name(disk),
                              usec_add(now_usec(), PAGES_TIMEOUT_USEC), &pages) == 0)
                r = node_setf(fs, "pages", "%" PRIu64, pages);
        return r;
}

static int learn(Node *fs, const Node *mount)
{
        _cleanup_(closep) int fd = -EBADF;

        if (!node_has(fs, "type", "xfs") || node_get(fs, "rmapbt"))
                return 0;
        fd = open_root(mount);
        return fd >= 0 && is_filesystem(fd, fs) ? learn_xfs(fs, fd) : 0;
}

static int mount_discover(HolderScan *scan, Node *fs, Failure *f)
{
        const Node *disk = fs->n_lower > 0 ? fs->lower[0] : NULL;
        const MountList *mounts;
        dev_t dev = 0; /* what the filesystem calls itself: that of its device, or one of its own */
        Node *n;
        int r;

        if (parse_devnum(strempty(node_get(fs, "dev")), &dev) < 0)
                dev = 0;
        r = holder_mounts(scan, &mounts);
        for (size_t i = 0; i < mounts->n && r == 0; i++) {
                const Mount *m = mounts->items + i;

                if ((dev == 0 || m->dev != dev) &&
                        (major(m->dev) != 0 || !disk || holder_mount_disk(scan->graph, m) != disk))
                        continue;
                r = holder_add_mount(scan, fs, m, &n);
                if (r == 0)
                        r = learn(fs, n);
        }
        return r;
}

static const char *const on_filesystems[] = { KIND_FILESYSTEM, NULL };

const HolderOps holder_mount = {
        .kind = KIND_MOUNT,
        .on = on_filesystems,
        .discover = mount_discover,
};
