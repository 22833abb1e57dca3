/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filesystems on disks, partitions and stacked devices, mounted or not, from their superblocks. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/blkid.h"

static int set_filesystem(Node *n, const Node *disk)
{
        int r = node_set(n, "dev", node_get(disk, "dev"));

        return r < 0 ? r : node_set(n, "dax", node_get(disk, "dax"));
}

static int add_probed(Graph *g, Node *disk, const BlkidInfo *info)
{
        Node *n;
        int r;

        r = graph_add(g, KIND_FILESYSTEM, node_name(disk), &n);
        if (r == 0)
                r = graph_link(n, disk);
        if (r == 0)
                r = node_set(n, "type", info->type);
        if (r == 0 && *info->uuid)
                r = node_set(n, "uuid", info->uuid);
        if (r == 0 && *info->label)
                r = node_set(n, "label", info->label);
        return r < 0 ? r : set_filesystem(n, disk);
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
        if (r < 0 || !m)
                return r;
        r = graph_add(scan->graph, KIND_FILESYSTEM, node_name(disk), &n);
        if (r == 0)
                r = graph_link(n, disk);
        if (r == 0)
                r = node_set(n, "type", m->fstype);
        return r < 0 ? r : set_filesystem(n, disk);
}

static int filesystem_discover(HolderScan *scan, Node *disk, Failure *f)
{
        _cleanup_(freep) char *devnode = string_printf("/dev/%s", node_name(disk));
        BlkidInfo info;
        int r;

        if (!devnode)
                return -ENOMEM;
        r = blkid_read(devnode, &info);
        if (r < 0 && r != -ENODATA)
                return failure_set(f, FAILURE_FAILED, r, node_name(disk),
                        "its superblock could not be read: %s", strerror(-r));
        if (r == 0 && streq(info.usage, "filesystem"))
                return add_probed(scan->graph, disk, &info);
        return add_mounted(scan, disk);
}

const HolderOps holder_filesystem = {
        .kind = KIND_FILESYSTEM,
        .on = holder_on_disks,
        .discover = filesystem_discover,
};
