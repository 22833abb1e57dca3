/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Software RAID. */

#include "holder/holder.h"
#include "kinds.h"

static int md_discover(HolderScan *scan, Node *below, const char *name, Failure *f)
{
        Node *n;
        int r = holder_add_stacked(scan, below, name, "md", "md array", &n);

        return r < 0 ? r
                     : node_setf(n, "blocker",
                               "a stacked device (md array) stands on it; take it down (mdadm "
                               "--stop "
                               "/dev/%s) and ask again",
                               name);
}

const HolderOps holder_md = {
        .kind = KIND_STACKED,
        .prefix = "md",
        .discover_stacked = md_discover,
};
