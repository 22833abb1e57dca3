/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loop devices whose backing file lies on the memory, or is a pmem disk itself. No process shows
 * them, they are in no holders directory, they claim nothing, and a filesystem that was shut down
 * under one stays busy until losetup -d. Found by the text of sysfs: LOOP_GET_STATUS asks the
 * backing file for its attributes, and would hang the scan on somebody else's dead server. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"

static int add_loop(Graph *g, const char *name, const char *file, Node *below)
{
        Node *n;
        int r;

        r = graph_add(g, KIND_STACKED, name, &n);
        if (r == 0)
                r = graph_link(n, below);
        return r < 0 ? r : node_setf(n, "what", "loop device on %s", file);
}

static int scan_loop(Graph *g, const char *name)
{
        _cleanup_(freep) char *dir = string_printf("/sys/block/%s/loop", name);
        char file[4096];
        Node *below;

        if (!dir)
                return -ENOMEM;
        /* Not set up: the folder is missing. Set up and gone again meanwhile is the same. */
        if (sysfs_read(dir, "backing_file", file, sizeof(file)) < 0)
                return 0;
        below = strncmp(file, "/dev/", 5) == 0 ? graph_find(g, KIND_BLOCK, file + 5)
                                               : holder_filesystem_of(g, file);
        return below ? add_loop(g, name, file, below) : 0;
}

static int loop_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(strv_freep) char **names = NULL;
        int r = sysfs_list("/sys/block", &names);

        for (char **name = names; name && *name && r >= 0; name++)
                if (strncmp(*name, "loop", 4) == 0)
                        r = scan_loop(scan->graph, *name);
        return r < 0 ? r : 0;
}

const HolderOps holder_loop = {
        .kind = KIND_STACKED,
        .discover = loop_discover,
};
