/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loop devices whose backing file lies on the memory, or is a pmem disk itself. No process shows
 * them, they are in no holders directory, they claim nothing, and a filesystem that was shut down
 * under one stays busy until losetup -d. Found by the text of sysfs, which asks nobody that could
 * hang. */

#include <inttypes.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/child.h"
#include "sys/loop.h"
#include "sys/sysfs.h"

#define ASK_USEC (5 * USEC_PER_SEC)

static bool stands_on(const Node *below, const char *file)
{
        if (node_is(below, KIND_FILESYSTEM))
                return holder_lies_on(below, file);
        return strncmp(file, "/dev/", 5) == 0 && streq(file + 5, node_name(below));
}

typedef struct Question {
        const char *name;
        const char *file;
} Question;

static int ask(void *arg)
{
        const Question *q = arg;
        int r = loop_is_on(q->name, q->file);

        return r == 0 ? -ENOENT : r < 0 ? r : 0;
}

/* Will the path mean this file when the device is set up again? One of a container's namespace does
 * not. */
static bool is_found_again(const char *name, const LoopConfig *c)
{
        Question q = { .name = name, .file = c->file };

        return !c->deleted && child_call(ask, &q, ASK_USEC, -EBADF) == 0;
}

static const char *yes_no(bool yes)
{
        return yes ? "yes" : "no";
}

static int set_loop(Node *n, const char *name, const LoopConfig *c)
{
        int r = node_set(n, "file", c->file);

        if (r == 0)
                r = node_setf(n, "offset", "%" PRIu64, c->offset);
        if (r == 0)
                r = node_setf(n, "sizelimit", "%" PRIu64, c->sizelimit);
        if (r == 0)
                r = node_setf(n, "block-size", "%" PRIu64, c->block_size);
        if (r == 0)
                r = node_set(n, "read-only", yes_no(c->read_only));
        if (r == 0)
                r = node_set(n, "partscan", yes_no(c->partscan));
        if (r == 0)
                r = node_set(n, "autoclear", yes_no(c->autoclear));
        if (r == 0)
                r = node_set(n, "direct-io", yes_no(c->direct_io));
        if (r < 0 || is_found_again(name, c))
                return r;
        return node_setf(n, "blocker",
                "its file %s %s, so it could not be set up again; run losetup -d /dev/%s and ask "
                "again",
                c->file, c->deleted ? "is deleted" : "is not found by this path any more", name);
}

static int scan_loop(HolderScan *scan, Node *below, const char *name)
{
        _cleanup_(freep) char *what = NULL;
        LoopConfig c;
        Node *n;
        int r;

        /* Set up and gone again meanwhile is the same as not set up. */
        r = loop_read(name, &c);
        if (r == -ENOENT || (r == 0 && !stands_on(below, c.file)))
                return 0;
        if (r < 0)
                return r;
        what = string_printf("loop device on %s", c.file);
        if (!what)
                return -ENOMEM;
        r = holder_add_stacked(scan, below, name, "loop", what, &n);
        return r < 0 ? r : set_loop(n, name, &c);
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
