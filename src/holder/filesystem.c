/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filesystems on disks, partitions and stacked devices, mounted or not, from their superblocks. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/blkid.h"

int holder_add_filesystem(HolderScan *scan, Node *below, const char *name, const char *type,
        const char *devnum, Node **ret)
{
        int r = 0;

        *ret = graph_find(scan->graph, KIND_FILESYSTEM, name);
        if (!*ret)
                r = graph_add(scan->graph, KIND_FILESYSTEM, name, ret);
        if (r == 0)
                r = graph_link(*ret, below);
        if (r == 0)
                r = node_set(*ret, "type", type);
        if (r == 0)
                r = node_set(*ret, "dev", devnum);
        return r;
}

static int add_on_disk(HolderScan *scan, Node *disk, const char *type, Node **ret)
{
        int r = holder_add_filesystem(
                scan, disk, node_name(disk), type, node_get(disk, "dev"), ret);

        return r < 0 ? r : node_set(*ret, "dax", node_get(disk, "dax"));
}

static int add_probed(HolderScan *scan, Node *disk, const BlkidInfo *info)
{
        Node *n;
        int r = add_on_disk(scan, disk, info->type, &n);

        if (r == 0 && *info->uuid)
                r = node_set(n, "uuid", info->uuid);
        if (r == 0 && *info->label)
                r = node_set(n, "label", info->label);
        return r;
}

/* Mounted, yet its superblock says nothing to libblkid: a filesystem all the same. xfs and ext4
 * show the block device's number; others have one of their own and name the device as their source.
 */
static int add_mounted(HolderScan *scan, Node *disk)
{
        const MountList *mounts;
        const Mount *m = NULL;
        Node *n;
        int r;

        r = holder_mounts(scan, &mounts);
        for (size_t i = 0; i < mounts->n && r == 0 && !m; i++)
                if (holder_mount_disk(scan->graph, mounts->items + i) == disk)
                        m = mounts->items + i;
        return r < 0 || !m ? r : add_on_disk(scan, disk, m->fstype, &n);
}

static int filesystem_discover(HolderScan *scan, Node *disk, Failure *f)
{
        _cleanup_(freep) char *devnode = string_printf("/dev/%s", node_name(disk));
        BlkidInfo info;
        int r;

        if (!devnode)
                return -ENOMEM;
        /* Who reads a suspended device, or one that stands on it, sleeps until somebody resumes it.
         */
        if (node_below_with(disk, "suspended", "yes"))
                return add_mounted(scan, disk);
        r = blkid_read(devnode, &info);
        if (r < 0 && r != -ENODATA)
                return failure_set(f, FAILURE_FAILED, r, node_name(disk),
                        "its superblock could not be read: %s", strerror(-r));
        if (r == 0 && streq(info.usage, "filesystem"))
                return add_probed(scan, disk, &info);
        return add_mounted(scan, disk);
}

const HolderOps holder_filesystem = {
        .kind = KIND_FILESYSTEM,
        .on = holder_on_disks,
        .discover = filesystem_discover,
};
