/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mounts of the filesystems on persistent memory in every mount namespace that has a process, what
 * is mounted below them, and the facts that only a mounted filesystem tells. */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/mounts.h"
#include "sys/xfs.h"

/* Listing the inodes of a very full filesystem may take longer than the answer is worth; without
 * one the forced road stays closed. */
#define PAGES_TIMEOUT_USEC (5 * USEC_PER_SEC)

static Node *find_by_dev(const Graph *g, const char *kind, dev_t dev)
{
        char devnum[DEVNUM_MAX];

        (void)format_devnum(devnum, dev);
        for (size_t i = 0; i < g->n_nodes; i++)
                if (node_is(g->nodes[i], kind) && node_has(g->nodes[i], "dev", devnum))
                        return g->nodes[i];
        return NULL;
}

/* xfs and ext4 show the block device's number; btrfs and others have one of their own, so there the
 * source decides. */
static Node *find_block(const Graph *g, const Mount *m)
{
        Node *n = find_by_dev(g, KIND_BLOCK, m->dev);
        struct stat st;

        if (n || major(m->dev) != 0 || !m->source || strncmp(m->source, "/dev/", 5) != 0)
                return n;
        if (stat(m->source, &st) < 0 || !S_ISBLK(st.st_mode))
                return NULL;
        return find_by_dev(g, KIND_BLOCK, st.st_rdev);
}

/* Mounted, yet its superblock says nothing to libblkid: a filesystem all the same. */
static int need_filesystem(Graph *g, Node *block, const Mount *m, Node **ret)
{
        char devnum[DEVNUM_MAX];
        int r;

        *ret = graph_find(g, KIND_FILESYSTEM, node_name(block));
        if (*ret)
                return 0;
        r = graph_add(g, KIND_FILESYSTEM, node_name(block), ret);
        if (r == 0)
                r = graph_link(*ret, block);
        if (r == 0)
                r = node_set(*ret, "type", m->fstype);
        if (r == 0)
                r = node_set(*ret, "dax", node_get(block, "dax"));
        return r < 0 ? r : node_set(*ret, "dev", format_devnum(devnum, m->dev));
}

static int set_mount(Node *n, const Mount *m)
{
        char devnum[DEVNUM_MAX];
        int r;

        r = node_set(n, "target", m->target);
        if (r == 0)
                r = node_set(n, "dev", format_devnum(devnum, m->dev));
        if (r == 0)
                r = node_set(n, "root", m->root);
        if (r == 0)
                r = node_setf(n, "ns", "%ju", (uintmax_t)m->ns);
        if (r == 0)
                r = node_setf(n, "ns-pid", "%d", m->ns_pid);
        if (r == 0)
                r = node_set(n, "options", m->vfs_options);
        if (r == 0)
                r = node_set(n, "fs-options", m->fs_options);
        if (r == 0)
                r = node_set(n, "fstype", m->fstype);
        if (r == 0)
                r = node_set(n, "source", m->source);
        if (r == 0)
                r = node_set(n, "propagation", m->propagation);
        return r;
}

static int add_mount(Graph *g, const Mount *m, Node *block)
{
        char id[24];
        Node *fs, *n = NULL;
        int r;

        (void)snprintf(id, sizeof(id), "%" PRIu64, m->id);
        r = need_filesystem(g, block, m, &fs);
        if (r == 0)
                r = graph_add(g, KIND_MOUNT, id, &n);
        if (r == 0)
                r = graph_link(n, fs);
        if (r == 0)
                r = node_set(n, "id", id);
        return r == 0 ? set_mount(n, m) : r;
}

/* Something else is mounted below one of ours: umount would answer EBUSY for a reason that no
 * process shows. */
static int add_nested(Graph *g, const Mount *m, Node *parent)
{
        Node *n;
        int r;

        r = graph_add(g, KIND_HOLDER, m->target, &n);
        if (r == -EEXIST)
                return 0;
        if (r == 0)
                r = graph_link(n, parent);
        return r < 0 ? r
                     : node_setf(n, "what", "%s of %s is mounted below %s", m->fstype,
                               strna(m->source), strna(node_get(parent, "target")));
}

static int add_one(Graph *g, const Mount *m)
{
        Node *block = find_block(g, m), *parent;
        char id[24];

        if (block)
                return add_mount(g, m, block);
        (void)snprintf(id, sizeof(id), "%" PRIu64, m->parent_id);
        parent = graph_find(g, KIND_MOUNT, id);
        return parent ? add_nested(g, m, parent) : 0;
}

/* --- facts about a mounted filesystem --- */

static int open_root(const Node *mount)
{
        char path[4352];
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%s/root%s", strempty(node_get(mount, "ns-pid")),
                strempty(node_get(mount, "target")));
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

/* The path is looked up again, so it is compared again. */
static bool is_filesystem(int fd, const Node *fs)
{
        char devnum[DEVNUM_MAX];
        struct stat st;

        return fstat(fd, &st) == 0 && node_has(fs, "dev", format_devnum(devnum, st.st_dev));
}

static int learn_xfs(Node *fs, int fd)
{
        const Node *block = node_below(fs, KIND_BLOCK);
        XfsInfo info;
        uint64_t pages;
        int r;

        if (xfs_info(fd, &info) < 0)
                return 0;
        r = node_set(fs, "rmapbt", info.rmapbt ? "yes" : "no");
        if (r == 0)
                r = node_set(fs, "realtime", info.realtime ? "yes" : "no");
        if (r == 0 && xfs_cached_pages(fd, node_name(block),
                              usec_add(now_usec(), PAGES_TIMEOUT_USEC), &pages) == 0)
                r = node_setf(fs, "pages", "%" PRIu64, pages);
        return r;
}

static int learn(Graph *g)
{
        int r = 0;

        for (size_t i = 0; i < g->n_nodes && r == 0; i++) {
                Node *fs = g->nodes[i]->n_lower > 0 ? g->nodes[i]->lower[0] : NULL;
                _cleanup_(closep) int fd = -EBADF;

                if (!node_is(g->nodes[i], KIND_MOUNT) || !fs || !node_has(fs, "type", "xfs") ||
                        node_get(fs, "rmapbt"))
                        continue;
                fd = open_root(g->nodes[i]);
                if (fd >= 0 && is_filesystem(fd, fs))
                        r = learn_xfs(fs, fd);
        }
        return r;
}

Node *holder_filesystem_of(const Graph *g, const char *path)
{
        for (size_t i = 0; i < g->n_nodes; i++) {
                const char *target = node_get(g->nodes[i], "target");
                size_t n = target ? strlen(target) : 0;

                if (node_is(g->nodes[i], KIND_MOUNT) && n > 0 && strncmp(path, target, n) == 0 &&
                        (path[n] == '/' || path[n] == '\0' || target[n - 1] == '/'))
                        return g->nodes[i]->lower[0];
        }
        return NULL;
}

static int mount_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        int r;

        r = mounts_read_all(&l);
        for (size_t i = 0; i < l.n && r == 0; i++)
                r = add_one(scan->graph, &l.items[i]);
        return r < 0 ? r : learn(scan->graph);
}

const HolderOps holder_mount = {
        .kind = KIND_MOUNT,
        .discover = mount_discover,
};
