/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bcache: the memory as its cache, or as what is cached. A device that it serves is in the holders
 * directory of both; a cache that serves nobody yet is in none and still holds its disk. Neither is
 * taken away here: a cache goes only after its dirty data was written back, which may take hours,
 * and its kernel threads use the memory until then. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"

/* The set of a cache, drivers/md/bcache/super.c: a link from the disk's bcache directory. */
static int cache_set(const Node *below, char *buf, size_t size)
{
        _cleanup_(freep) char *dir = string_printf("%s/bcache", strempty(node_get(below, "sysfs")));

        return dir ? sysfs_link_name(dir, "set", buf, size) : -ENOMEM;
}

static int bcache_discover_stacked(HolderScan *scan, Node *below, const char *name, Failure *f)
{
        char set[64];
        Node *n;
        int r = holder_add_stacked(scan, below, name, "bcache", "bcache", &n);

        if (r < 0)
                return r;
        if (cache_set(below, set, sizeof(set)) == 0)
                return node_setf(n, "blocker",
                        "the memory is its cache; detach it (echo 1 > "
                        "/sys/block/%s/bcache/detach), wait until its state is \"no cache\", "
                        "unregister the cache set (echo 1 > /sys/fs/bcache/%s/unregister) and ask "
                        "again",
                        name, set);
        if (node_get(n, "blocker"))
                return 0;
        return node_setf(n, "blocker",
                "a bcache device stands on it; stop it (echo 1 > /sys/block/%s/bcache/stop) and "
                "ask again",
                name);
}

static bool has_upper(const Node *below)
{
        for (size_t i = 0; i < below->n_upper; i++)
                if (node_has(below->upper[i], "type", "bcache"))
                        return true;
        return false;
}

/* Asked after the holders directory. */
static int bcache_discover(HolderScan *scan, Node *below, Failure *f)
{
        _cleanup_(freep) char *name = string_printf("bcache:%s", node_name(below));
        _cleanup_(freep) char *dir = string_printf("%s/bcache", strempty(node_get(below, "sysfs")));
        char set[64];

        if (!name || !dir)
                return -ENOMEM;
        /* What it serves has such a directory of its own. */
        if (!node_get(below, "sysfs") || node_has(below, "type", "bcache") ||
                access(dir, F_OK) < 0 || has_upper(below))
                return 0;
        if (cache_set(below, set, sizeof(set)) < 0)
                return holder_add_blocker(scan, below, name, "bcache backing device",
                        "it waits for its bcache cache; stop it (echo 1 > "
                        "/sys/class/block/%s/bcache/stop) and ask again",
                        node_name(below));
        return holder_add_blocker(scan, below, name, "bcache cache",
                "it is a bcache cache; unregister its set (echo 1 > "
                "/sys/fs/bcache/%s/unregister) and ask again",
                set);
}

const HolderOps holder_bcache = {
        .kind = KIND_STACKED,
        .on = holder_on_disks,
        .discover = bcache_discover,
        .prefix = "bcache",
        .discover_stacked = bcache_discover_stacked,
};
