/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the forced road needs: that what the kernel does to a filesystem whose memory goes is proven
 * for each of them, and what it costs. Unknown is no. */

#include "policy-build.h"

#include "kinds.h"
#include "policy-overrides.h"

/* Cost of the kernel's walk for victims, mm/memory-failure.c: each 4 KiB index once, and for each
 * index with an entry every process of the machine. Measured under emulation at 90 to 140 ns per
 * pair on 6.12; hardware is faster, so the estimate errs on the safe side. */
#define NSEC_PER_INDEX 150
#define NSEC_PER_PAIR 100
/* What a freeze and an unbind cost with nothing mapped: RCU grace periods. */
#define FIXED_USEC (150 * USEC_PER_MSEC)

bool build_has_mounts(const Build *b)
{
        for (size_t i = 0; i < b->g->n_nodes; i++)
                if (b->g->nodes[i]->marked && node_is(b->g->nodes[i], KIND_MOUNT))
                        return true;
        return false;
}

uint64_t build_estimate_usec(const Build *b)
{
        const Node *h = build_host(b);
        uint64_t processes = h ? node_get_u64(h, "processes") : 0, pages = 0;

        for (size_t i = 0; i < b->g->n_nodes; i++) {
                const Node *n = b->g->nodes[i];

                if (n->marked && node_is(n, KIND_FILESYSTEM) && build_is_frozen(n) &&
                        !build_is_shut_down(n))
                        pages += node_get_u64(n, "pages");
        }
        if (!build_has_mounts(b))
                return 0;
        return FIXED_USEC + pages * (NSEC_PER_INDEX + processes * NSEC_PER_PAIR) / 1000;
}

/* There is one holder slot per dax device: of two DAX filesystems on partitions of one disk only
 * the first is told (fs_dax_get, drivers/dax/super.c, 6.12). */
static bool shares_disk(const Build *b, const Node *fs)
{
        const Node *ns = node_below(fs, KIND_NAMESPACE);

        for (size_t i = 0; i < b->g->n_nodes; i++) {
                const Node *n = b->g->nodes[i];

                if (n != fs && node_is(n, KIND_FILESYSTEM) && build_is_frozen(n) &&
                        node_below(n, KIND_NAMESPACE) == ns)
                        return true;
        }
        return false;
}

/* Does it stand on the pmem disk or on a partition of it, with nothing in between? Neither dm nor
 * md forwards the notification (drivers/md, 6.1 to 7.3). */
static bool stands_directly(const Node *fs)
{
        const Node *n = fs;

        if (fs->n_lower != 1)
                return false;
        while (node_is(n = n->lower[0], KIND_BLOCK))
                if (n->n_lower != 1)
                        return false;
        return node_is(n, KIND_NAMESPACE);
}

static const char *kernel_lacks(Build *b, const char *attr, const char *what)
{
        const Node *h = build_host(b);
        const char *why;
        char key[32];

        if (h && node_has(h, attr, "yes"))
                return NULL;
        (void)snprintf(key, sizeof(key), "%s-why", attr);
        why = h ? node_get(h, key) : NULL;
        (void)snprintf(
                b->why, sizeof(b->why), "%s (%s)", what, why ? why : "nothing is known about it");
        return b->why;
}

/* xfs_dax_notify_ddev_failure() (fs/xfs/xfs_notify_failure.c, 6.12) goes through the allocation
 * groups by the size of the disk, not of the filesystem, and reads one that is not there: a NULL
 * pointer inside the unbind, with the filesystem frozen by the kernel for ever. The disk is larger
 * where it has grown, where mkfs.xfs was told a size, and where the rest was too small for another
 * group. */
static bool is_outreached(const Node *fs)
{
        return !node_get(fs, "reach") ||
               node_get_u64(fs->lower[0], "size") > node_get_u64(fs, "reach");
}

/* The kernel finds and kills who has it mapped. */
static const char *pre_remove_refused_for(Build *b, const Node *fs)
{
        const char *no = kernel_lacks(b, "pre-remove", "this kernel would not warn the filesystem");

        if (no)
                return no;
        if (!node_has(fs, "type", "xfs"))
                return "only XFS handles the kernel's pre-remove, so live mappings would outlast "
                       "the memory";
        if (!node_has(fs, "dax", "yes"))
                return "nobody knows whether this XFS has a DAX device under it, and without one "
                       "the kernel has nobody to warn";
        if (!node_has(fs, "rmapbt", "yes"))
                return "XFS was made without the reverse map that pre-remove needs to find its "
                       "victims "
                       "(mkfs.xfs -m rmapbt=1 makes one)";
        if (!node_has(fs, "realtime", "no"))
                return "XFS has a realtime device, for which pre-remove is not proven";
        if (is_outreached(fs))
                return "its disk reaches beyond the last allocation group of XFS, where the kernel "
                       "oopses when it warns the filesystem (xfs_growfs may help)";
        if (!node_get(fs, "pages"))
                return "nobody could count its cached DAX pages, so the frozen time is unknown";
        return NULL;
}

/* No DAX mapping can exist, so nobody has to be warned or killed: what was read stays in the page
 * cache, everything else gets EIO. That needs a filesystem which is shut down when its disk goes
 * (s_op->shutdown: xfs and ext4 have it as long as fs_bdev_mark_dead() exists; btrfs has none up to
 * 6.12, f2fs got it later than the function by which it is probed, exfat and ntfs3 cannot be
 * frozen). */
static const char *shutdown_refused_for(Build *b, const Node *fs)
{
        if (!node_has(fs, "type", "xfs") && !node_has(fs, "type", "ext4"))
                return "the kernel is known to shut down only XFS and ext4 when their disk goes; "
                       "others would go on writing to a disk that is gone";
        return kernel_lacks(
                b, "shutdown", "this kernel would not shut the filesystem down with its disk");
}

static const char *forced_refused_for(Build *b, const Node *fs)
{
        const char *no;

        /* xfs_dax_notify_failure() (fs/xfs/xfs_notify_failure.c, 6.12) does nothing for a log and
         * answers EOPNOTSUPP for a realtime device. */
        if (node_get(fs, "role"))
                return "XFS keeps its log or realtime data on a device of its own there, which "
                       "pre-remove does not reach";
        if (!stands_directly(fs))
                return "the filesystem does not stand directly on the pmem disk, and stacked "
                       "devices do not tell it that its memory goes";
        no = build_is_shut_down(fs) ? shutdown_refused_for(b, fs) : pre_remove_refused_for(b, fs);
        if (no)
                return no;
        if (shares_disk(b, fs))
                return "two filesystems share this disk and the kernel warns only one of them";
        return NULL;
}

static const char *over_budget(Build *b)
{
        char estimate[TIMESPAN_MAX], budget[TIMESPAN_MAX];
        uint64_t usec = build_estimate_usec(b) / 1000 * 1000;

        if (usec <= b->policy->freeze_budget_usec ||
                overrides_have(b->req->overrides, OVERRIDE_FREEZE_BUDGET))
                return NULL;
        (void)snprintf(b->why, sizeof(b->why),
                "it would be frozen for about %s, which is above FreezeBudget=%s",
                format_timespan(estimate, usec),
                format_timespan(budget, b->policy->freeze_budget_usec));
        return b->why;
}

const char *policy_forced_refused(Build *b, const Node **ret_node)
{
        const Node *last = NULL;
        const char *no;

        for (size_t i = 0; i < b->g->n_nodes; i++) {
                const Node *n = b->g->nodes[i];

                if (!n->marked || !node_is(n, KIND_FILESYSTEM) || !build_is_frozen(n))
                        continue;
                last = n;
                no = forced_refused_for(b, n);
                if (no) {
                        if (ret_node)
                                *ret_node = n;
                        return no;
                }
        }
        no = last ? over_budget(b) : NULL;
        if (no && ret_node)
                *ret_node = last;
        return no;
}
