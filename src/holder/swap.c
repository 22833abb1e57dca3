/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Swap areas on a pmem disk or partition and swap files on its filesystem, from /proc/swaps. */

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "util/text.h"

#define SWAPS_MAX (1024 * 1024)

static bool stands_on(const Node *below, const char *path, const char *type)
{
        char devnum[DEVNUM_MAX];
        struct stat st;

        if (node_is(below, KIND_FILESYSTEM))
                return streq(type, "file") && holder_lies_on(below, path);
        return streq(type, "partition") && stat(path, &st) == 0 && S_ISBLK(st.st_mode) &&
               node_has(below, "dev", format_devnum(devnum, st.st_rdev));
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
static int add_area(Graph *g, Node *below, const char *line)
{
        char path[4096], type[32], size[32], used[32], priority[32];
        Node *n;
        int r;

        if (sscanf(line, "%4095s %31s %31s %31s %31s", path, type, size, used, priority) != 5)
                return 0;
        unescape(path);
        if (!stands_on(below, path, type))
                return 0;
        r = graph_add(g, KIND_SWAP, node_is(below, KIND_FILESYSTEM) ? path : node_name(below), &n);
        if (r == 0)
                r = graph_link(n, below);
        if (r == 0)
                r = node_set(n, "size", size);
        if (r == 0)
                r = node_set(n, "used", used);
        if (r == 0)
                r = node_set(n, "priority", priority);
        return r < 0 ? r
                     : node_setf(n, "blocker", "it is in use as swap; run swapoff %s and ask again",
                               path);
}

static int swap_discover(HolderScan *scan, Node *below, Failure *f)
{
        _cleanup_(freep) char *text = NULL;
        char *save = NULL;
        int r = read_full_file("/proc/swaps", SWAPS_MAX, &text, NULL);

        if (r == -ENOENT)
                return 0; /* a kernel without swap */
        for (char *line = r == 0 ? strtok_r(text, "\n", &save) : NULL; line && r == 0;
                line = strtok_r(NULL, "\n", &save))
                r = add_area(scan->graph, below, line);
        return r;
}

static const char *const on_files_and_disks[] = { KIND_FILESYSTEM, KIND_BLOCK, KIND_STACKED, NULL };

const HolderOps holder_swap = {
        .kind = KIND_SWAP,
        .on = on_files_and_disks,
        .discover = swap_discover,
};
