/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel lists in the "holders" directory of a disk or partition: devices that were put
 * together from it. Each is handed to the kind that knows devices of such a name; one that nobody
 * knows is named and blocks (fail closed). */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"

static const HolderOps *kind_of(const char *name)
{
        for (const HolderOps *const *h = holder_table; *h; h++)
                if ((*h)->prefix && strncmp(name, (*h)->prefix, strlen((*h)->prefix)) == 0)
                        return *h;
        return NULL;
}

static int add_unknown(HolderScan *scan, Node *below, const char *name)
{
        Node *n;
        int r = holder_add_stacked(scan, below, name, "unknown", "a kind nobody knows", &n);

        return r < 0 ? r
                     : node_setf(n, "blocker",
                               "a stacked device of a kind that is not known stands on it; take "
                               "it down and ask again");
}

static int stacked_discover(HolderScan *scan, Node *below, Failure *f)
{
        _cleanup_(freep) char *dir = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        if (!node_get(below, "sysfs"))
                return 0;
        dir = string_printf("%s/holders", node_get(below, "sysfs"));
        if (!dir)
                return -ENOMEM;
        r = sysfs_list(dir, &names);
        if (r == -ENOENT)
                return 0;
        for (char **name = names; name && *name && r == 0; name++) {
                const HolderOps *ops = kind_of(*name);

                r = ops ? ops->discover_stacked(scan, below, *name, f)
                        : add_unknown(scan, below, *name);
        }
        return r;
}

const HolderOps holder_stacked = {
        .kind = KIND_STACKED,
        .on = holder_on_disks,
        .discover = stacked_discover,
};
