/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is mounted below a mount of ours. umount would answer EBUSY for it, a reason that no process
 * shows. A mount of a filesystem that stands on the memory itself is linked and goes first; any
 * other one blocks. */

#include <inttypes.h>

#include "holder/holder.h"
#include "kinds.h"

static int add_nested(HolderScan *scan, Node *parent, const Mount *m)
{
        _cleanup_(freep) char *what = NULL;
        char id[24];
        Node *n;

        (void)snprintf(id, sizeof(id), "%" PRIu64, m->id);
        n = graph_find(scan->graph, KIND_MOUNT, id);
        if (n || holder_mount_disk(scan->graph, m)) {
                Node *own;

                return n ? graph_link(n, parent) : holder_add_mount(scan, parent, m, &own);
        }
        what = string_printf("%s of %s", m->fstype, strna(m->source));
        return !what ? -ENOMEM
                     : holder_add_blocker(scan, parent, m->target, what,
                               "%s is mounted below %s; run umount %s and ask again", what,
                               strna(node_get(parent, "target")), m->target);
}

static int nested_discover(HolderScan *scan, Node *parent, Failure *f)
{
        uint64_t id = node_get_u64(parent, "id");
        const MountList *mounts;
        int r;

        r = holder_mounts(scan, &mounts);
        for (size_t i = 0; i < mounts->n && r == 0; i++)
                if (mounts->items[i].parent_id == id && mounts->items[i].id != id)
                        r = add_nested(scan, parent, mounts->items + i);
        return r;
}

static const char *const on_mounts[] = { KIND_MOUNT, NULL };

const HolderOps holder_nested = {
        .kind = KIND_HOLDER,
        .on = on_mounts,
        .discover = nested_discover,
};
