/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Swap areas on a pmem disk or partition and swap files on its filesystem, from /proc/swaps, and
 * the memory there is to take in what is on them. */

#include <inttypes.h>
#include <sys/stat.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/blkid.h"
#include "sys/path.h"
#include "sys/swaps.h"

/* Will the path mean this file when it is turned on again? One in a container's namespace does
 * not, and a lazily unmounted filesystem shows it from its own root. */
static bool is_found_again(const SwapArea *a)
{
        PathAnswer answer;

        return !a->deleted && path_ask(a->path, &answer) == 0 && S_ISREG(answer.mode);
}

/* A path that leads nowhere may be that of a file on any filesystem that was unmounted lazily. */
static bool stands_on(const Node *below, const SwapArea *a)
{
        char devnum[DEVNUM_MAX];
        PathAnswer answer;
        struct stat st;

        if (node_is(below, KIND_FILESYSTEM))
                return a->file && (holder_lies_on(below, a->path) ||
                                          (!a->deleted && path_ask(a->path, &answer) == -ENOENT));
        return !a->file && stat(a->path, &st) == 0 && S_ISBLK(st.st_mode) &&
               node_has(below, "dev", format_devnum(devnum, st.st_rdev));
}

static int set_host(Graph *g)
{
        Node *host = graph_find(g, KIND_HOST, "host");
        MemoryFree memory;
        int r;

        /* Without the numbers the rule refuses. */
        if (!host || memory_free_read(&memory) < 0)
                return 0;
        r = node_setf(host, "memory-available", "%" PRIu64, memory.available_kib * 1024);
        return r < 0 ? r : node_setf(host, "swap-free", "%" PRIu64, memory.swap_kib * 1024);
}

static int set_area(Node *n, const Node *below, const SwapArea *a)
{
        BlkidInfo info;
        int r;

        r = node_set(n, "path", a->path);
        if (r == 0)
                r = node_setf(n, "size", "%" PRIu64, a->size_kib * 1024);
        if (r == 0)
                r = node_setf(n, "used", "%" PRIu64, a->used_kib * 1024);
        if (r == 0)
                r = node_setf(n, "priority", "%d", a->priority);
        if (r == 0 && !a->file)
                r = node_set(n, "dev", node_get(below, "dev"));
        if (r < 0)
                return r;
        if (a->file && !is_found_again(a))
                return node_setf(n, "blocker",
                        "it is in use as swap and its path does not lead to it any more, so it "
                        "could not be turned on again; mount its filesystem again, run swapoff on "
                        "the file there and ask again");
        return blkid_read(a->path, &info) == 0 && *info.uuid ? node_set(n, "swap-uuid", info.uuid)
                                                             : 0;
}

static int add_area(HolderScan *scan, Node *below, const SwapArea *a)
{
        const char *name = a->file ? a->path : node_name(below);
        Node *n = graph_find(scan->graph, KIND_SWAP, name);
        int r = 0;

        /* Found once more below a nested mount. */
        if (n)
                return graph_link(n, below);
        r = graph_add(scan->graph, KIND_SWAP, name, &n);
        if (r == 0)
                r = graph_link(n, below);
        if (r == 0)
                r = set_area(n, below, a);
        return r < 0 ? r : set_host(scan->graph);
}

static int swap_discover(HolderScan *scan, Node *below, Failure *f)
{
        _cleanup_(swap_list_done) SwapList l = { 0 };
        int r = swaps_read(&l);

        for (size_t i = 0; i < l.n && r == 0; i++)
                if (stands_on(below, l.items + i))
                        r = add_area(scan, below, l.items + i);
        return r;
}

static const char *const on_files_and_disks[] = { KIND_FILESYSTEM, KIND_BLOCK, KIND_STACKED, NULL };

const HolderOps holder_swap = {
        .kind = KIND_SWAP,
        .on = on_files_and_disks,
        .discover = swap_discover,
};
