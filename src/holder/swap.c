/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Swap areas on a pmem disk or partition and swap files on its filesystem, from /proc/swaps. */

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "util/text.h"

#define SWAPS_MAX (1024 * 1024)

static Node *find_block(const Graph *g, dev_t dev)
{
        char devnum[DEVNUM_MAX];

        (void)format_devnum(devnum, dev);
        for (size_t i = 0; i < g->n_nodes; i++)
                if (node_is(g->nodes[i], KIND_BLOCK) && node_has(g->nodes[i], "dev", devnum))
                        return g->nodes[i];
        return NULL;
}

static Node *find_below(const Graph *g, const char *path, const char *type)
{
        struct stat st;

        if (!streq(type, "partition"))
                return holder_filesystem_of(g, path);
        if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
                return NULL;
        return find_block(g, st.st_rdev);
}

/* The kernel writes blanks and backslashes of a path as \040. */
static void unescape(char *s)
{
        char *out = s;

        for (; *s; s++) {
                if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
                        *out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
                        s += 3;
                } else {
                        *out++ = *s;
                }
        }
        *out = '\0';
}

/* "PATH TYPE SIZE USED PRIORITY" */
static int add_area(Graph *g, const char *line)
{
        char path[4096], type[32], size[32], used[32], priority[32];
        Node *below, *n;
        int r;

        if (sscanf(line, "%4095s %31s %31s %31s %31s", path, type, size, used, priority) != 5)
                return 0;
        unescape(path);
        below = find_below(g, path, type);
        if (!below)
                return 0;
        r = graph_add(g, KIND_SWAP, node_is(below, KIND_BLOCK) ? node_name(below) : path, &n);
        if (r == 0)
                r = graph_link(n, below);
        if (r == 0)
                r = node_set(n, "size", size);
        if (r == 0)
                r = node_set(n, "used", used);
        if (r == 0)
                r = node_set(n, "priority", priority);
        return r;
}

static int swap_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(freep) char *text = NULL;
        char *save = NULL;
        int r = read_full_file("/proc/swaps", SWAPS_MAX, &text, NULL);

        if (r == -ENOENT)
                return 0; /* a kernel without swap */
        for (char *line = r == 0 ? strtok_r(text, "\n", &save) : NULL; line && r == 0;
                line = strtok_r(NULL, "\n", &save))
                r = add_area(scan->graph, line);
        return r;
}

const HolderOps holder_swap = {
        .kind = KIND_SWAP,
        .discover = swap_discover,
};
