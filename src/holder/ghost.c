/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A filesystem that is alive in the kernel although it is mounted nowhere: unmounted while it was
 * frozen, which umount(2) allows, and the freeze keeps it (do_umount(), fs/namespace.c, never asks;
 * 6.1 to 7.3); or lazily unmounted and still in use by something that no process shows. Neither
 * signals nor unmounting reach it. One with processes is no ghost: when they are gone, it is. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/superblock.h"

static bool is_explained(const Node *fs)
{
        for (size_t i = 0; i < fs->n_upper; i++)
                if (node_is(fs->upper[i], KIND_MOUNT) || node_is(fs->upper[i], KIND_PROCESS))
                        return true;
        return false;
}

static int look_at(HolderScan *scan, Node *fs)
{
        _cleanup_(freep) char *what = NULL;
        Superblock sb;
        int r;

        r = superblock_find(node_name(fs), &sb);
        if (r <= 0 || !streq(sb.device, node_name(fs)))
                return r < 0 ? r : 0;
        what = string_printf("superblock of %s without a mount", sb.type);
        if (!what)
                return -ENOMEM;
        return holder_add_blocker(scan, fs, node_name(fs), what,
                "its superblock (%s) is still alive although nothing is mounted: it was unmounted "
                "lazily and is in use, or it was unmounted while it was frozen; mount /dev/%s "
                "again, thaw it (fsfreeze -u), unmount it and ask again",
                sb.type, sb.device);
}

/* Only where processes were looked for is it known that there are none. */
static int ghost_discover(HolderScan *scan, Failure *f)
{
        size_t n = scan->graph->n_nodes;
        int r = 0;

        if (!scan->processes)
                return 0;
        for (size_t i = 0; i < n && r == 0; i++)
                if (node_is(scan->graph->nodes[i], KIND_FILESYSTEM) &&
                        !is_explained(scan->graph->nodes[i]))
                        r = look_at(scan, scan->graph->nodes[i]);
        return r;
}

const HolderOps holder_ghost = {
        .kind = KIND_HOLDER,
        .discover_all = ghost_discover,
};
