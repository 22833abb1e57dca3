/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads mountinfo of every mount namespace and owns all contact with libmount. Its rule: a list is
 * complete or it is an error. A mount that is overlooked keeps the superblock and with it the
 * memory alive; only what vanished meanwhile may be missing. */

#include "sys/mounts.h"

#include <fcntl.h>
#include <libmount.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "sys/child.h"
#include "sys/mounts-internal.h"
#include "sys/proc-internal.h"

DEFINE_CLEANUP(struct libmnt_table *, mnt_unref_table);
DEFINE_CLEANUP(struct libmnt_iter *, mnt_free_iter);
DEFINE_CLEANUP(struct libmnt_context *, mnt_free_context);

/* Copying a namespace's mountinfo; only a machine in deep trouble needs that long. */
#define SNAPSHOT_TIMEOUT_USEC (5 * USEC_PER_SEC)
/* How often a process may change its namespace between our two looks at it. */
#define READ_ATTEMPTS 3

static void mount_done(Mount *m)
{
        free(m->root);
        free(m->target);
        free(m->fstype);
        free(m->source);
        free(m->vfs_options);
        free(m->fs_options);
}

void mount_list_done(MountList *l)
{
        for (size_t i = 0; i < l->n; i++)
                mount_done(l->items + i);
        free(l->items);
        *l = (MountList){ 0 };
}

static void mount_list_truncate(MountList *l, size_t n)
{
        while (l->n > n)
                mount_done(l->items + --l->n);
}

/* libmount skips lines it cannot read unless told otherwise; a skipped mount would be a missed one.
 */
static int refuse_line(struct libmnt_table *table, const char *filename, int line)
{
        return -EBADMSG;
}

static const char *propagation_of(struct libmnt_fs *fs)
{
        unsigned long flags = MS_SHARED;

        if (mnt_fs_get_propagation(fs, &flags) < 0 || (flags & MS_SHARED) != 0)
                return "shared";
        return (flags & MS_UNBINDABLE) != 0 ? "unbindable" : "private";
}

static int mount_fill(Mount *m, struct libmnt_fs *fs, ino_t ns, pid_t ns_pid)
{
        *m = (Mount){
                .id = (uint64_t)mnt_fs_get_id(fs),
                .parent_id = (uint64_t)mnt_fs_get_parent_id(fs),
                .dev = mnt_fs_get_devno(fs),
                .root = strdup(strempty(mnt_fs_get_root(fs))),
                .target = strdup(strempty(mnt_fs_get_target(fs))),
                .fstype = strdup(strempty(mnt_fs_get_fstype(fs))),
                .source = strdup(strempty(mnt_fs_get_source(fs))),
                .vfs_options = strdup(strempty(mnt_fs_get_vfs_options(fs))),
                .fs_options = strdup(strempty(mnt_fs_get_fs_options(fs))),
                .propagation = propagation_of(fs),
                .ns = ns,
                .ns_pid = ns_pid,
        };
        if (m->root && m->target && m->fstype && m->source && m->vfs_options && m->fs_options)
                return 0;
        mount_done(m);
        return -ENOMEM;
}

typedef struct Rank {
        size_t depth;
        size_t index;
        Mount mount;
} Rank;

static int compare_id(const void *a, const void *b)
{
        const Rank *x = a, *y = b;

        return (x->mount.id > y->mount.id) - (x->mount.id < y->mount.id);
}

static int compare_depth(const void *a, const void *b)
{
        const Rank *x = a, *y = b;

        if (x->depth != y->depth)
                return x->depth > y->depth ? 1 : -1;
        return x->index > y->index ? 1 : -1;
}

static size_t rank_depth(const Rank *ranks, size_t n, const Rank *r)
{
        size_t depth = 0;

        while (r && depth < n) {
                Rank key = { .mount.id = r->mount.parent_id };
                const Rank *parent;

                parent = bsearch(&key, ranks, n, sizeof(*ranks), compare_id);
                if (parent == r)
                        break;
                r = parent;
                depth++;
        }
        return depth;
}

/* Since 6.8 mountinfo is sorted by age (fs/namespace.c, mnt_find_id_at). A mount that was moved, or
 * made before what it was attached to, is then listed above it, so order is made here. */
static int order_parents_first(Mount *mounts, size_t n)
{
        _cleanup_(freep) Rank *ranks = NULL;

        ranks = calloc(n + 1, sizeof(*ranks));
        if (!ranks)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                ranks[i] = (Rank){ .index = i, .mount = mounts[i] };
        qsort(ranks, n, sizeof(*ranks), compare_id);
        for (size_t i = 0; i < n; i++)
                ranks[i].depth = rank_depth(ranks, n, ranks + i);
        qsort(ranks, n, sizeof(*ranks), compare_depth);
        for (size_t i = 0; i < n; i++)
                mounts[i] = ranks[i].mount;
        return 0;
}

static int append_table(struct libmnt_table *table, ino_t ns, pid_t ns_pid, MountList *l)
{
        _cleanup_(mnt_free_iterp) struct libmnt_iter *iter = NULL;
        size_t first = l->n, n_new = (size_t)mnt_table_get_nents(table);
        struct libmnt_fs *fs;
        Mount *items;
        int r;

        iter = mnt_new_iter(MNT_ITER_FORWARD);
        items = reallocarray(l->items, l->n + n_new + 1, sizeof(*items));
        if (items)
                l->items = items;
        if (!iter || !items)
                return -ENOMEM;
        while (mnt_table_next_fs(table, iter, &fs) == 0) {
                r = mount_fill(l->items + l->n, fs, ns, ns_pid);
                if (r < 0)
                        return r;
                l->n++;
        }
        return order_parents_first(l->items + first, l->n - first);
}

int mounts_read_text(FILE *f, ino_t ns, pid_t ns_pid, MountList *l)
{
        _cleanup_(mnt_unref_tablep) struct libmnt_table *table = NULL;
        size_t before = l->n;
        int r;

        table = mnt_new_table();
        if (!table)
                return -ENOMEM;
        r = mnt_table_set_parser_errcb(table, refuse_line);
        if (r < 0)
                return r;
        r = mnt_table_parse_stream(table, f, "mountinfo");
        if (r != 0)
                return r < 0 ? r : -EBADMSG;
        if (ferror(f))
                return -EIO;
        r = append_table(table, ns, ns_pid, l);
        if (r < 0)
                mount_list_truncate(l, before);
        return r;
}

static int read_fd(int fd, ino_t ns, pid_t ns_pid, MountList *l)
{
        _cleanup_(closep) int owned = fd;
        _cleanup_(fclosep) FILE *f = NULL;

        f = fdopen(owned, "re");
        if (!f)
                return -errno;
        (void)TAKE_FD(owned);
        return mounts_read_text(f, ns, ns_pid, l);
}

int mounts_read_dir(int proc_dir_fd, ino_t ns, pid_t ns_pid, MountList *l)
{
        int fd;

        fd = openat(proc_dir_fd, "mountinfo", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        return read_fd(fd, ns, ns_pid, l);
}

int mounts_ns_of_dir(int proc_dir_fd, ino_t *ret)
{
        struct stat st;

        if (fstatat(proc_dir_fd, "ns/mnt", &st, 0) < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        *ret = st.st_ino;
        return 0;
}

/* mountinfo leaves out what a chrooted process cannot reach. The link is read as text: a stat of it
 * could hang on a dead filesystem. */
static bool sees_whole_namespace(int proc_dir_fd)
{
        char root[2];
        ssize_t n;

        n = readlinkat(proc_dir_fd, "root", root, sizeof(root));
        return n == 1 && root[0] == '/';
}

typedef struct Snapshot {
        int proc_dir_fd;
        ino_t ns;
        int text_fd;
} Snapshot;

int mounts_copy_text(int from_fd, int to_fd)
{
        char buf[4096];
        ssize_t n;

        for (;;) {
                n = read(from_fd, buf, sizeof(buf));
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                if (write(to_fd, buf, (size_t)n) != n)
                        return -EIO;
        }
}

/* setns(2) moves the caller to the root of the namespace, from where mountinfo shows all of it. */
static int snapshot_child(void *arg)
{
        const Snapshot *s = arg;
        _cleanup_(closep) int self = -EBADF, ns_fd = -EBADF, mountinfo = -EBADF;
        struct stat st;

        self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        ns_fd = openat(s->proc_dir_fd, "ns/mnt", O_RDONLY | O_CLOEXEC);
        if (self < 0 || ns_fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        if (fstat(ns_fd, &st) < 0)
                return -errno;
        if (st.st_ino != s->ns)
                return -ESTALE;
        if (setns(ns_fd, CLONE_NEWNS) < 0)
                return -errno;
        mountinfo = openat(self, "mountinfo", O_RDONLY | O_CLOEXEC);
        if (mountinfo < 0)
                return -errno;
        return mounts_copy_text(mountinfo, s->text_fd);
}

static int read_by_snapshot(int proc_dir_fd, ino_t ns, pid_t pid, MountList *l)
{
        Snapshot s = { .proc_dir_fd = proc_dir_fd, .ns = ns };
        _cleanup_(closep) int text_fd = -EBADF;
        int r;

        text_fd = memfd_create("mountinfo", MFD_CLOEXEC);
        if (text_fd < 0)
                return -errno;
        s.text_fd = text_fd;
        r = child_call(snapshot_child, &s, SNAPSHOT_TIMEOUT_USEC, -1);
        if (r < 0)
                return r;
        if (lseek(text_fd, 0, SEEK_SET) < 0)
                return -errno;
        return read_fd(TAKE_FD(text_fd), ns, pid, l);
}

static void set_ns_id(int proc_dir_fd, MountList *l, size_t first)
{
        _cleanup_(closep) int fd = openat(proc_dir_fd, "ns/mnt", O_RDONLY | O_CLOEXEC);
        uint64_t id = fd < 0 ? 0 : mounts_ns_id(fd);

        for (size_t i = first; i < l->n; i++)
                l->items[i].ns_id = id;
}

static int read_view(int proc_dir_fd, ino_t ns, pid_t pid, MountList *l)
{
        if (sees_whole_namespace(proc_dir_fd))
                return mounts_read_dir(proc_dir_fd, ns, pid, l);
        return read_by_snapshot(proc_dir_fd, ns, pid, l);
}

/* The namespace is looked up before and after, because a process may change it at any time and
 * mounts must not be filed under a namespace they are not in. */
int mounts_read_process(pid_t pid, ino_t want, MountList *l)
{
        _cleanup_(closep) int dir_fd = -EBADF;
        size_t before = l->n;
        ino_t ns, now;
        int r;

        dir_fd = proc_dir_open(pid);
        if (dir_fd < 0)
                return dir_fd;
        for (unsigned i = 0; i < READ_ATTEMPTS; i++) {
                r = mounts_ns_of_dir(dir_fd, &ns);
                if (r < 0)
                        return r;
                if (want != 0 && ns != want)
                        return -ESRCH;
                r = read_view(dir_fd, ns, pid, l);
                set_ns_id(dir_fd, l, before);
                /* An exiting process has lost its namespace: mountinfo then says EINVAL. */
                if (mounts_ns_of_dir(dir_fd, &now) < 0)
                        now = 0;
                if (r >= 0 && now == ns)
                        return 0;
                mount_list_truncate(l, before);
                if (now == 0)
                        return -ESRCH;
                if (r < 0 && r != -ESTALE)
                        return r;
        }
        return -EAGAIN;
}

int mounts_read(pid_t pid, MountList *l)
{
        _cleanup_(closep) int self_fd = -EBADF, init_fd = -EBADF;
        ino_t ours, first;
        int r;

        if (pid > 0)
                return mounts_read_process(pid, 0, l);
        self_fd = proc_dir_open(getpid());
        if (self_fd < 0)
                return self_fd;
        r = mounts_ns_of_dir(self_fd, &ours);
        if (r < 0)
                return r;
        init_fd = proc_dir_open(1);
        if (init_fd >= 0 && mounts_ns_of_dir(init_fd, &first) >= 0 && first == ours)
                return mounts_read_process(1, ours, l);
        return mounts_read_process(getpid(), ours, l);
}

int mounts_stage(
        const char *source, const char *fstype, const char *options, const char *dir, int *claim_fd)
{
        _cleanup_(mnt_free_contextp) struct libmnt_context *ctx = NULL;
        int r;

        ctx = mnt_new_context();
        if (!ctx)
                return -ENOMEM;
        if (mnt_context_disable_helpers(ctx, 1) < 0 || mnt_context_disable_mtab(ctx, 1) < 0 ||
                mnt_context_disable_canonicalize(ctx, 1) < 0 ||
                mnt_context_disable_swapmatch(ctx, 1) < 0 ||
                mnt_context_enable_rwonly_mount(ctx, 1) < 0 ||
                mnt_context_set_optsmode(ctx, MNT_OMODE_NOTAB) < 0 ||
                mnt_context_set_source(ctx, source) < 0 ||
                mnt_context_set_fstype(ctx, fstype) < 0 ||
                mnt_context_set_options(ctx, options) < 0 || mnt_context_set_target(ctx, dir) < 0)
                return -ENOMEM;
        r = mnt_context_prepare_mount(ctx);
        *claim_fd = safe_close(*claim_fd);
        if (r == 0)
                r = mnt_context_do_mount(ctx);
        if (r == 0)
                return 0;
        if (mnt_context_syscall_called(ctx) && mnt_context_get_syscall_errno(ctx) > 0)
                return -mnt_context_get_syscall_errno(ctx);
        return r < 0 ? r : -EIO;
}

MountPlace mount_place(const Mount *m)
{
        return (MountPlace){
                .ns_pid = m->ns_pid,
                .ns = m->ns,
                .ns_id = m->ns_id,
                .id = m->id,
                .dev = m->dev,
                .target = m->target,
        };
}
