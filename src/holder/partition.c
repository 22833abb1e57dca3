/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Partitions of a disk, of the memory itself or of something on it: subdirectories of its sysfs
 * directory that have a "partition" number. */

#include <inttypes.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"

static int add_partition(Graph *g, Node *disk, const char *sysfs, const char *name)
{
        char devnum[DEVNUM_MAX];
        uint64_t sectors;
        dev_t dev;
        Node *n;
        int r;

        r = sysfs_devnum(sysfs, &dev);
        if (r == 0)
                r = sysfs_read_u64(sysfs, "size", &sectors);
        if (r == 0)
                r = graph_add(g, KIND_BLOCK, name, &n);
        if (r == 0)
                r = graph_link(n, disk);
        if (r == 0)
                r = node_set(n, "dev", format_devnum(devnum, dev));
        if (r == 0)
                r = node_set(n, "sysfs", sysfs);
        if (r == 0)
                r = node_setf(n, "size", "%" PRIu64, sectors * 512);
        if (r == 0 && node_get(disk, "dax"))
                r = node_set(n, "dax", node_get(disk, "dax"));
        return r;
}

static int partition_discover(HolderScan *scan, Node *disk, Failure *f)
{
        _cleanup_(strv_freep) char **names = NULL;
        const char *dir = node_get(disk, "sysfs");
        int r = dir ? sysfs_list(dir, &names) : 0;

        for (char **name = names; name && *name && r == 0; name++) {
                _cleanup_(freep) char *sysfs = string_printf("%s/%s", dir, *name);
                uint64_t number;

                if (!sysfs)
                        return -ENOMEM;
                if (sysfs_read_u64(sysfs, "partition", &number) == 0)
                        r = add_partition(scan->graph, disk, sysfs, *name);
        }
        return r;
}

const HolderOps holder_partition = {
        .kind = KIND_BLOCK,
        .on = holder_on_disks,
        .discover = partition_discover,
};
