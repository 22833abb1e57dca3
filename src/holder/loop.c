/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loop devices whose backing file lies on the memory, or is a pmem disk itself. No process shows
 * them, they are in no holders directory, they claim nothing, and a filesystem that was shut down
 * under one stays busy until losetup -d. Found by the text of sysfs: LOOP_GET_STATUS asks the
 * backing file for its attributes, and would hang the scan on somebody else's dead server. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"

static bool stands_on(const Node *below, const char *file)
{
        if (node_is(below, KIND_FILESYSTEM))
                return holder_lies_on(below, file);
        return strncmp(file, "/dev/", 5) == 0 && streq(file + 5, node_name(below));
}

static int scan_loop(HolderScan *scan, Node *below, const char *name)
{
        _cleanup_(freep) char *dir = string_printf("/sys/block/%s/loop", name), *what = NULL;
        char file[4096];
        Node *n;
        int r;

        if (!dir)
                return -ENOMEM;
        /* Not set up: the folder is missing. Set up and gone again meanwhile is the same. */
        if (sysfs_read(dir, "backing_file", file, sizeof(file)) < 0 || !stands_on(below, file))
                return 0;
        what = string_printf("loop device on %s", file);
        if (!what)
                return -ENOMEM;
        r = holder_add_stacked(scan, below, name, "loop", what, &n);
        return r < 0 ? r
                     : node_setf(n, "blocker",
                               "a stacked device (%s) stands on it; run losetup -d /dev/%s and "
                               "ask again",
                               what, name);
}

static int loop_discover(HolderScan *scan, Node *below, Failure *f)
{
        _cleanup_(strv_freep) char **names = NULL;
        int r = sysfs_list("/sys/block", &names);

        for (char **name = names; name && *name && r >= 0; name++)
                if (strncmp(*name, "loop", 4) == 0)
                        r = scan_loop(scan, below, *name);
        return r < 0 ? r : 0;
}

static const char *const on_files_and_disks[] = { KIND_FILESYSTEM, KIND_BLOCK, KIND_STACKED, NULL };

const HolderOps holder_loop = {
        .kind = KIND_STACKED,
        .on = on_files_and_disks,
        .discover = loop_discover,
};
