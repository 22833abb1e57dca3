/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* XFS that keeps its log or its realtime data on this disk. The disk is claimed, yet its superblock
 * says nothing and the mount shows another device, so only the mount options name it. One that is
 * not mounted keeps nothing in use. */

#include <sys/stat.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/blkid.h"
#include "sys/path.h"
#include "sys/sysfs.h"

static const struct {
        const char *option;
        const char *role;
} roles[] = {
        { "logdev", "log" },
        { "rtdev", "realtime" },
};

/* Is that device the one that this mount option names? 1, 0, negative errno. */
static int is_named(const Mount *m, const char *option, const Node *disk)
{
        _cleanup_(freep) char *path = NULL;
        char devnum[DEVNUM_MAX];
        PathAnswer a;
        int r = option_get(m->fs_options, option, 0, &path);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return paths_ask((const char *const *)&path, 1, m->ns_pid, &a) == 0 && a.err == 0 &&
               S_ISBLK(a.mode) && node_has(disk, "dev", format_devnum(devnum, a.rdev));
}

static int add_role(Node *fs, const char *role)
{
        const char *old = node_get(fs, "role");

        if (old && strstr(old, role))
                return 0;
        return node_setf(fs, "role", "%s%s%s", strempty(old), old ? "," : "", role);
}

/* The data is on a disk that is none of ours. */
static int add_filesystem(HolderScan *scan, Node *disk, const Mount *m, Node **ret)
{
        char devnum[DEVNUM_MAX], dir[64], name[64], devnode[80];
        BlkidInfo info;
        int r;

        (void)snprintf(dir, sizeof(dir), "/sys/dev/block");
        r = sysfs_link_name(dir, format_devnum(devnum, m->dev), name, sizeof(name));
        if (r == 0)
                r = holder_add_filesystem(scan, disk, name, "xfs", devnum, ret);
        if (r < 0)
                return r;
        (void)snprintf(devnode, sizeof(devnode), "/dev/%s", name);
        return blkid_read(devnode, &info) == 0 && *info.uuid ? node_set(*ret, "uuid", info.uuid)
                                                             : 0;
}

static int add_mount(HolderScan *scan, Node *disk, const Mount *m, bool known)
{
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(roles) && r >= 0; i++) {
                Node *fs = known ? holder_by_dev(scan->graph, KIND_FILESYSTEM, m->dev) : NULL;

                r = is_named(m, roles[i].option, disk);
                if (r <= 0 || known != !!fs)
                        continue;
                r = fs ? graph_link(fs, disk) : add_filesystem(scan, disk, m, &fs);
                if (r == 0)
                        r = add_role(fs, roles[i].role);
        }
        return r < 0 ? r : 0;
}

/* Nearly no mount has one, and each is looked at for each disk: whose disk it is, is asked last. */
static bool has_role(const Mount *m)
{
        if (!streq(m->fstype, "xfs") || !m->fs_options)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(roles); i++)
                if (strstr(m->fs_options, roles[i].option))
                        return true;
        return false;
}

static int scan_disk(HolderScan *scan, Node *disk, bool known)
{
        const MountList *mounts;
        int r = holder_mounts(scan, &mounts);

        for (size_t i = 0; i < mounts->n && r == 0; i++) {
                const Mount *m = mounts->items + i;

                if (has_role(m) && (known || !holder_disk_by_dev(scan->graph, m->dev)))
                        r = add_mount(scan, disk, m, known);
        }
        return r;
}

static int xfs_device_discover(HolderScan *scan, Node *disk, Failure *f)
{
        return scan_disk(scan, disk, false);
}

/* Data and log on two disks of ours: by now both are known. */
static int xfs_device_discover_all(HolderScan *scan, Failure *f)
{
        int r = 0;

        for (size_t i = 0; i < scan->graph->n_nodes && r == 0; i++)
                if (strv_contains((char *const *)holder_on_disks, node_kind(scan->graph->nodes[i])))
                        r = scan_disk(scan, scan->graph->nodes[i], true);
        return r;
}

const HolderOps holder_xfs_device = {
        .kind = KIND_FILESYSTEM,
        .on = holder_on_disks,
        .discover = xfs_device_discover,
        .discover_all = xfs_device_discover_all,
};
