/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The registry of holder kinds, and the little that most of them need. */

#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/path.h"
#include "sys/sysfs.h"

const HolderOps *const holder_table[] = {
        &holder_memory,
        &holder_partition,
        &holder_stacked,
        &holder_dm,
        &holder_md,
        &holder_bcache,
        &holder_filesystem,
        &holder_xfs_device,
        &holder_mount,
        &holder_swap,
        &holder_loop,
        &holder_overlay,
        &holder_nested,
        &holder_lio,
        &holder_nvmet,
        &holder_gadget,
        &holder_zram,
        &holder_nfsd,
        &holder_quota,
        &holder_fanotify,
        &holder_footing,
        &holder_process,
        &holder_unit,
        &holder_ghost,
        NULL,
};

const char *const holder_on_disks[] = { KIND_BLOCK, KIND_STACKED, NULL };

static int set_stacked(Node *n, const char *name, const char *type, const char *what)
{
        _cleanup_(freep) char *sysfs = string_printf("/sys/class/block/%s", name);
        char devnum[DEVNUM_MAX];
        uint64_t sectors;
        dev_t dev;
        int r;

        if (!sysfs)
                return -ENOMEM;
        r = sysfs_devnum(sysfs, &dev);
        if (r == 0)
                r = sysfs_read_u64(sysfs, "size", &sectors);
        if (r == 0)
                r = node_set(n, "type", type);
        if (r == 0)
                r = node_set(n, "what", what);
        if (r == 0)
                r = node_set(n, "dev", format_devnum(devnum, dev));
        if (r == 0)
                r = node_setf(n, "size", "%" PRIu64, sectors * 512);
        return r < 0 ? r : node_set(n, "sysfs", sysfs);
}

int holder_add_stacked(HolderScan *scan, Node *below, const char *name, const char *type,
        const char *what, Node **ret)
{
        int r = 0;

        *ret = graph_find(scan->graph, KIND_STACKED, name);
        if (!*ret) {
                r = graph_add(scan->graph, KIND_STACKED, name, ret);
                if (r == 0)
                        r = set_stacked(*ret, name, type, what);
        }
        return r < 0 ? r : graph_link(*ret, below);
}

int holder_add_blocker(
        HolderScan *scan, Node *below, const char *name, const char *what, const char *fmt, ...)
{
        _cleanup_(freep) char *text = NULL;
        Node *n = graph_find(scan->graph, KIND_HOLDER, name);
        va_list ap;
        int r = 0;

        va_start(ap, fmt);
        if (vasprintf(&text, fmt, ap) < 0)
                text = NULL; /* vasprintf(3) leaves it undefined */
        va_end(ap);
        if (!text)
                return -ENOMEM;
        if (!n)
                r = graph_add(scan->graph, KIND_HOLDER, name, &n);
        if (r == 0)
                r = graph_link(n, below);
        if (r == 0)
                r = node_set(n, "what", what);
        return r < 0 ? r : node_set(n, "blocker", text);
}

int holder_add_note(Node *n, const char *fmt, ...)
{
        _cleanup_(freep) char *text = NULL;
        const char *known = node_get(n, "note");
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&text, fmt, ap) < 0)
                text = NULL; /* vasprintf(3) leaves it undefined */
        va_end(ap);
        if (!text)
                return -ENOMEM;
        return known ? node_setf(n, "note", "%s; %s", known, text) : node_set(n, "note", text);
}

static Node *filesystem_by_dev(const Graph *g, dev_t dev)
{
        Node *n = holder_by_dev(g, KIND_FILESYSTEM, dev);

        if (n || !(n = holder_by_dev(g, KIND_MOUNT, dev)))
                return n;
        /* A filesystem with a number of its own, as btrfs has: its mount shows it. */
        for (size_t i = 0; i < n->n_lower; i++)
                if (node_is(n->lower[i], KIND_FILESYSTEM))
                        return n->lower[i];
        return n;
}

Node *holder_by_path(const Graph *g, const char *path)
{
        PathAnswer to;

        if (path_ask(path, &to) == 0)
                return S_ISBLK(to.mode) ? holder_disk_by_dev(g, to.rdev)
                                        : filesystem_by_dev(g, to.dev);
        for (size_t i = 0; i < g->n_nodes; i++)
                if (node_is(g->nodes[i], KIND_FILESYSTEM) && holder_lies_on(g->nodes[i], path))
                        return g->nodes[i];
        return NULL;
}

int holder_mounts(HolderScan *scan, const MountList **ret)
{
        int r = scan->mounts_read ? 0 : mounts_read_all(&scan->mounts);

        scan->mounts_read = r == 0;
        *ret = &scan->mounts;
        return r;
}

Node *holder_by_dev(const Graph *g, const char *kind, dev_t dev)
{
        char devnum[DEVNUM_MAX];

        (void)format_devnum(devnum, dev);
        for (size_t i = 0; i < g->n_nodes; i++)
                if (node_is(g->nodes[i], kind) && node_has(g->nodes[i], "dev", devnum))
                        return g->nodes[i];
        return NULL;
}

Node *holder_disk_by_dev(const Graph *g, dev_t dev)
{
        for (const char *const *kind = holder_on_disks; *kind; kind++) {
                Node *n = holder_by_dev(g, *kind, dev);

                if (n)
                        return n;
        }
        return NULL;
}

bool holder_lies_on(const Node *filesystem, const char *path)
{
        for (size_t i = 0; i < filesystem->n_upper; i++) {
                const Node *mount = filesystem->upper[i];
                const char *target = node_get(mount, "target");
                size_t n = target ? strlen(target) : 0;

                if (node_is(mount, KIND_MOUNT) && n > 0 && strncmp(path, target, n) == 0 &&
                        (path[n] == '/' || path[n] == '\0' || target[n - 1] == '/'))
                        return true;
        }
        return false;
}
