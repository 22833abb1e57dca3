/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* zram devices that write cold pages back to the memory. They claim the disk (backing_dev_store(),
 * drivers/block/zram/zram_drv.c, 6.1 and 6.12), so a claim is refused, but no holders directory
 * names them. Only a block device can be one. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"

static int scan_zram(HolderScan *scan, const char *name)
{
        _cleanup_(freep) char *dir = string_printf("/sys/block/%s", name);
        char path[4096];
        Node *below;

        if (!dir)
                return -ENOMEM;
        /* A kernel without CONFIG_ZRAM_WRITEBACK has no such attribute; "none" means none. */
        if (sysfs_read(dir, "backing_dev", path, sizeof(path)) < 0 || *path != '/')
                return 0;
        below = holder_by_path(scan->graph, path);
        return !below ? 0
                      : holder_add_blocker(scan, below, name, "zram writeback",
                                "%s writes back to %s; take /dev/%s out of use (swapoff or "
                                "umount), run zramctl --reset /dev/%s and ask again",
                                name, path, name, name);
}

static int zram_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(strv_freep) char **names = NULL;
        int r = sysfs_list("/sys/block", &names);

        for (char **name = names; name && *name && r == 0; name++)
                if (strncmp(*name, "zram", 4) == 0)
                        r = scan_zram(scan, *name);
        return r;
}

const HolderOps holder_zram = {
        .kind = KIND_HOLDER,
        .discover_all = zram_discover,
};
