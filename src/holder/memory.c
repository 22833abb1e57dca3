/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device-dax that serves as ordinary memory (driver kmem). Its blocks must be offline before the
 * driver goes: the unbind succeeds under online memory all the same, the kernel goes on using it as
 * RAM until the next reboot, and then the memory can be taken out of the machine (dev_dax_kmem_
 * remove(), drivers/dax/kmem.c; kernel-facts 2.5). */

#include <inttypes.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/memory.h"

typedef struct Blocks {
        char *all, *movable, *kernel;
} Blocks;

static void blocks_done(Blocks *b)
{
        free(b->all);
        free(b->movable);
        free(b->kernel);
}

static int add_block(Node *n, Blocks *b, uint64_t block)
{
        MemoryState state;
        int r = memory_block_state(block, &state);

        if (r < 0 || state == MEMORY_ABSENT)
                return r;
        r = memory_list_add(&b->all, block);
        if (r == 0 && state == MEMORY_MOVABLE)
                r = memory_list_add(&b->movable, block);
        if (r == 0 && state == MEMORY_KERNEL)
                r = memory_list_add(&b->kernel, block);
        if (r == 0 && state == MEMORY_UNKNOWN)
                r = node_setf(n, "blocker",
                        "its memory block memory%" PRIu64 " is neither online nor offline; wait "
                        "until that is over and ask again",
                        block);
        if (r == 0 && state != MEMORY_OFFLINE && !memory_block_removable(block))
                r = node_setf(n, "blocker",
                        "its memory block memory%" PRIu64 " holds pages that cannot be moved away; "
                        "reboot without it as system RAM (daxctl reconfigure-device)",
                        block);
        return r;
}

static int add_blocks(Node *n, uint64_t start, uint64_t size)
{
        _cleanup_(blocks_done) Blocks b = { 0 };
        uint64_t first = 0, count = 0, bytes = 0;
        int r = memory_blocks(start, size, &first, &count);

        if (r == 0)
                r = memory_block_bytes(&bytes);
        for (uint64_t i = 0; i < count && r == 0; i++)
                r = add_block(n, &b, first + i);
        if (r == 0 && b.all)
                r = node_set(n, "blocks", b.all);
        if (r == 0 && b.movable)
                r = node_set(n, "movable", b.movable);
        if (r == 0 && b.kernel)
                r = node_set(n, "kernel", b.kernel);
        return r < 0 ? r
                     : node_setf(n, "online", "%" PRIu64,
                               (memory_list_count(b.movable) + memory_list_count(b.kernel)) *
                                       bytes);
}

static int add_memory(HolderScan *scan, Node *dax, uint64_t start, uint64_t size, Node **ret)
{
        int r = graph_add(scan->graph, KIND_MEMORY, node_name(dax), ret);

        if (r == 0)
                r = graph_link(*ret, dax);
        if (r == 0)
                r = node_set(*ret, "what", "system RAM");
        if (r == 0)
                r = node_setf(*ret, "start", "%" PRIu64, start);
        return r < 0 ? r : node_setf(*ret, "size", "%" PRIu64, size);
}

static int memory_discover(HolderScan *scan, Node *dax, Failure *f)
{
        bool kmem = node_has(dax, "driver", "kmem");
        uint64_t start, size;
        Node *n;
        int r = memory_of_dax(node_name(dax), &start, &size);

        if (r == 0 && !kmem)
                r = memory_is_ram(start, size);
        /* Not memory, and 0 for one that is. */
        if (r < 0 || (r == 0 && !kmem))
                return r;
        r = add_memory(scan, dax, start, size, &n);
        if (r < 0)
                return r;
        return kmem ? add_blocks(n, start, size)
                    : node_setf(n, "blocker",
                              "somebody unbound it from kmem while it was online, and the kernel "
                              "goes on using it as RAM until the next reboot; reboot, then ask "
                              "again");
}

static const char *const on_chardevs[] = { KIND_CHARDEV, NULL };

const HolderOps holder_memory = {
        .kind = KIND_MEMORY,
        .on = on_chardevs,
        .discover = memory_discover,
};
