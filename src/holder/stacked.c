/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices stacked on a pmem disk or partition: everything in its sysfs "holders" directory (dm, md,
 * bcache). This version takes none of them down; naming them is what makes the refusal useful. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"

/* By the kernel's own names of block devices. */
static const struct {
        const char *prefix;
        const char *what;
} stacks[] = {
        { "dm-", "device mapper" },
        { "md", "md array" },
        { "bcache", "bcache" },
};

static const char *stack_name(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(stacks); i++)
                if (strncmp(name, stacks[i].prefix, strlen(stacks[i].prefix)) == 0)
                        return stacks[i].what;
        return "unknown kind";
}

static int add_stacked(Graph *g, Node *below, const char *name)
{
        _cleanup_(freep) char *sysfs = string_printf("/sys/class/block/%s", name);
        Node *n = graph_find(g, KIND_STACKED, name);
        char devnum[DEVNUM_MAX];
        dev_t dev;
        int r = 0;

        if (!sysfs)
                return -ENOMEM;
        if (!n)
                r = graph_add(g, KIND_STACKED, name, &n);
        if (r == 0)
                r = graph_link(n, below);
        if (r == 0)
                r = node_set(n, "what", stack_name(name));
        if (r == 0 && sysfs_devnum(sysfs, &dev) == 0)
                r = node_set(n, "dev", format_devnum(devnum, dev));
        return r;
}

static int scan_holders(Graph *g, Node *block)
{
        _cleanup_(freep) char *dir = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        if (!node_get(block, "sysfs"))
                return 0;
        dir = string_printf("%s/holders", node_get(block, "sysfs"));
        if (!dir)
                return -ENOMEM;
        r = sysfs_list(dir, &names);
        if (r == -ENOENT)
                return 0;
        for (char **name = names; name && *name && r == 0; name++)
                r = add_stacked(g, block, *name);
        return r;
}

static int stacked_discover(HolderScan *scan, Failure *f)
{
        size_t n = scan->graph->n_nodes;
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                if (node_is(scan->graph->nodes[i], KIND_BLOCK))
                        r = scan_holders(scan->graph, scan->graph->nodes[i]);
        return r;
}

const HolderOps holder_stacked = {
        .kind = KIND_STACKED,
        .discover = stacked_discover,
};
