/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filesystems on pmem disks and partitions, mounted or not, from their superblocks; and whether the
 * machine itself stands on one of them. */

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/blkid.h"
#include "util/text.h"

/* What this program, or what could save it, needs: freezing or removing it would hang the rescuer.
 */
static const char *const footings[] = { "/", "/usr", "/etc", "/var", "/run", "/dev/shm",
        "/run/dbus", "/run/pmemremoved", "/run/log/journal", "/var/log/journal", "/proc/self/exe" };

static int set_footing(Node *fs, dev_t dev)
{
        char text[256] = "";
        size_t used = 0;

        for (size_t i = 0; i < ELEMENTSOF(footings); i++) {
                struct stat st;
                int n;

                if (stat(footings[i], &st) < 0 || st.st_dev != dev)
                        continue;
                n = snprintf(
                        text + used, sizeof(text) - used, "%s%s", used ? ", " : "", footings[i]);
                used += n > 0 ? MIN_OF((size_t)n, sizeof(text) - used - 1) : 0;
        }
        return used ? node_set(fs, "footing", text) : 0;
}

static int add_filesystem(Graph *g, Node *block, const BlkidInfo *info)
{
        const char *devnum = node_get(block, "dev");
        dev_t dev;
        Node *n;
        int r;

        r = graph_add(g, KIND_FILESYSTEM, node_name(block), &n);
        if (r == 0)
                r = graph_link(n, block);
        if (r == 0)
                r = node_set(n, "type", info->type);
        if (r == 0 && *info->uuid)
                r = node_set(n, "uuid", info->uuid);
        if (r == 0 && *info->label)
                r = node_set(n, "label", info->label);
        if (r == 0)
                r = node_set(n, "dev", devnum);
        if (r == 0)
                r = node_set(n, "dax", node_get(block, "dax"));
        if (r == 0 && devnum && parse_devnum(devnum, &dev) == 0)
                r = set_footing(n, dev);
        return r;
}

static int scan_block(Graph *g, Node *block)
{
        _cleanup_(freep) char *devnode = string_printf("/dev/%s", node_name(block));
        BlkidInfo info;
        int r;

        if (!devnode)
                return -ENOMEM;
        r = blkid_read(devnode, &info);
        if (r == -ENODATA)
                return 0;
        if (r == 0 && streq(info.usage, "filesystem"))
                r = add_filesystem(g, block, &info);
        return r;
}

static int filesystem_discover(HolderScan *scan, Failure *f)
{
        size_t n = scan->graph->n_nodes;
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++) {
                Node *block = scan->graph->nodes[i];

                if (!node_is(block, KIND_BLOCK))
                        continue;
                r = scan_block(scan->graph, block);
                if (r < 0)
                        return failure_set(f, FAILURE_FAILED, r, node_name(block),
                                "its superblock could not be read: %s", strerror(-r));
        }
        return r;
}

const HolderOps holder_filesystem = {
        .kind = KIND_FILESYSTEM,
        .discover = filesystem_discover,
};
