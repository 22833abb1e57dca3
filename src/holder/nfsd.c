/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel's NFS server gives to others: the exports in exportfs(8)'s table, one node per
 * path, which a step can take away where policy allows it; what clients reach through an export
 * above it; and files that clients still have open although nothing is exported any more. */

#include <inttypes.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/nfs.h"
#include "util/shell.h"

/* The mount that a path of the host lies on: the longest, of equal ones the topmost. Other
 * filesystems hide what is below them. */
static Node *mount_of(HolderScan *scan, const char *path)
{
        const MountList *mounts;
        const Mount *best = NULL;
        char id[24];
        int r = holder_mounts(scan, &mounts);

        for (size_t i = 0; r == 0 && i < mounts->n; i++) {
                const Mount *m = mounts->items + i;
                size_t n = strlen(m->target);

                if (m->ns_pid == 1 && strncmp(path, m->target, n) == 0 &&
                        (path[n] == '/' || path[n] == '\0' || n == 1) &&
                        (!best || n >= strlen(best->target)))
                        best = m;
        }
        if (!best)
                return NULL;
        (void)snprintf(id, sizeof(id), "%" PRIu64, best->id);
        return graph_find(scan->graph, KIND_MOUNT, id);
}

/* What the step needs of the mount. */
static int copy_mount(Node *n, const Node *mount)
{
        static const char *const keys[] = { "id", "dev", "ns", "ns-id", "ns-pid", "target",
                "fstype" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(keys) && r == 0; i++)
                r = node_set(n, keys[i], node_get(mount, keys[i]));
        return r;
}

static int add_path(HolderScan *scan, Node *mount, const char *name, const char *path, Node **ret)
{
        int r = graph_add(scan->graph, KIND_HOLDER, name, ret);

        if (r == 0)
                r = graph_link(*ret, mount);
        if (r == 0)
                r = node_set(*ret, "type", "nfsd");
        if (r == 0)
                r = node_set(*ret, "what", "NFS export");
        if (r == 0)
                r = node_set(*ret, "path", path);
        return r < 0 ? r : copy_mount(*ret, mount);
}

static int add_export(HolderScan *scan, const NfsExport *e)
{
        Node *mount = mount_of(scan, e->path), *n;
        _cleanup_(freep) char *name = NULL, *what = NULL;
        const char *exports, *command;
        char word[SHELL_WORD_MAX];
        int r = 0;

        if (!mount)
                return 0;
        name = string_printf("nfsd:%s", e->path);
        what = string_printf("%s:%s", e->client, e->path);
        if (!name || !what)
                return -ENOMEM;
        n = graph_find(scan->graph, KIND_HOLDER, name);
        if (!n)
                r = add_path(scan, mount, name, e->path, &n);
        if (r < 0)
                return r;
        exports = node_get(n, "exports");
        command = node_get(n, "command");
        r = node_setf(n, "exports", "%s%s%s(%s)", strempty(exports), exports ? " " : "", e->client,
                e->options);
        return r < 0 ? r
                     : node_setf(n, "command", "%s%sexportfs -u %s", strempty(command),
                               command ? "; " : "", shell_word(what, word, sizeof(word)));
}

static int add_served(HolderScan *scan, const char *path)
{
        _cleanup_(freep) char *name = string_printf("nfsd:%s", path);
        Node *mount;

        if (!name)
                return -ENOMEM;
        if (graph_find(scan->graph, KIND_HOLDER, name))
                return 0;
        mount = mount_of(scan, path);
        return !mount ? 0
                      : holder_add_blocker(scan, mount, name, "NFS export",
                                "NFS clients reach %s through an export above it (crossmnt); take "
                                "that one away (exportfs -v shows it, exportfs -u CLIENT:PATH) and "
                                "ask again",
                                path);
}

/* Of the filesystem, whichever of its mounts is exported. */
static bool has_export(const Graph *g, const char *dev)
{
        for (size_t i = 0; i < g->n_nodes; i++)
                if (node_has(g->nodes[i], "type", "nfsd") && node_has(g->nodes[i], "dev", dev))
                        return true;
        return false;
}

static int add_client(HolderScan *scan, Node *mount)
{
        const char *devnum = strempty(node_get(mount, "dev"));
        char dir[256], address[128];
        dev_t dev;

        if (parse_devnum(devnum, &dev) < 0 || nfs_find_client(dev, dir, address) < 0 ||
                has_export(scan->graph, devnum))
                return 0;
        return holder_add_blocker(scan, mount, dir, "NFS client",
                "the NFS client %s still has files open on it; unmount it there, or run echo "
                "expire >%s/ctl, and ask again",
                address, dir);
}

static int nfsd_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(nfs_export_list_done) NfsExportList exports = { 0 };
        _cleanup_(strv_freep) char **served = NULL;
        int r = nfs_exports_read(&exports);

        for (size_t i = 0; i < exports.n && r == 0; i++)
                r = add_export(scan, exports.items + i);
        if (r == 0)
                r = nfs_served_read(&served);
        for (char **path = served; path && *path && r == 0; path++)
                r = add_served(scan, *path);
        for (size_t i = 0, n = scan->graph->n_nodes; i < n && r == 0; i++)
                if (node_is(scan->graph->nodes[i], KIND_MOUNT))
                        r = add_client(scan, scan->graph->nodes[i]);
        return r;
}

const HolderOps holder_nfsd = {
        .kind = KIND_HOLDER,
        .discover_all = nfsd_discover,
};
