/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Quota that was turned on by hand. umount turns it off without a word (dquot_disable() from
 * ext4_put_super(), 6.1 and 6.12) and only a mount whose quota lives in the filesystem itself turns
 * it on again; that of XFS comes back with the mount options. So it holds nothing, but it is lost:
 * a note. Nothing at all shows process accounting (accton): umount ends it as silently
 * (acct_pin_kill(), kernel/acct.c), and there is nowhere to read where it goes. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/quotas.h"

static bool is_mounted(const Node *fs)
{
        for (size_t i = 0; i < fs->n_upper; i++)
                if (node_is(fs->upper[i], KIND_MOUNT))
                        return true;
        return false;
}

static int quota_discover(HolderScan *scan, Failure *f)
{
        int r = 0;

        for (size_t i = 0; i < scan->graph->n_nodes && r == 0; i++) {
                Node *fs = scan->graph->nodes[i];
                _cleanup_(freep) char *devnode = NULL;
                char types[64];

                if (!node_is(fs, KIND_FILESYSTEM) || node_has(fs, "type", "xfs") || !is_mounted(fs))
                        continue;
                devnode = string_printf("/dev/%s", node_name(fs));
                if (!devnode)
                        return -ENOMEM;
                if (quota_turned_on(devnode, types) == 0)
                        r = holder_add_note(fs,
                                "quotaon turned quotas on (%s); unmounting turns them off, and "
                                "after a rollback quotaon has to be run again",
                                types);
        }
        return r;
}

const HolderOps holder_quota = {
        .kind = KIND_FILESYSTEM,
        .discover_all = quota_discover,
};
