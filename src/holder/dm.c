/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device mapper: LVM, dm-linear, dm-crypt and the rest. */

#include "holder/holder.h"
#include "kinds.h"

static int dm_discover(HolderScan *scan, Node *below, const char *name, Failure *f)
{
        Node *n;
        int r = holder_add_stacked(scan, below, name, "dm", "device mapper", &n);

        return r < 0 ? r
                     : node_setf(n, "blocker",
                               "a stacked device (device mapper) stands on it; take it down "
                               "(dmsetup remove "
                               "/dev/%s) and ask again",
                               name);
}

const HolderOps holder_dm = {
        .kind = KIND_STACKED,
        .prefix = "dm-",
        .discover_stacked = dm_discover,
};
