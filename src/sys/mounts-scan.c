/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds the mount namespaces of the machine through their processes and one process to read each
 * by; what has no process is left to mounts-orphans.c. Of threads only the leader is asked: where
 * the kernel lists namespaces a thread's own one comes up there. */

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "sys/mounts-internal.h"
#include "sys/mounts.h"
#include "sys/proc-internal.h"

/* include/uapi/linux/nsfs.h, 6.12 */
#define GET_NS_ID _IOR(0xb7, 5, uint64_t)

/* refused are processes that we may not look into. */
typedef struct Census {
        NsList *known;
        pid_t *refused;
        size_t n_refused;
} Census;

static void census_done(Census *c)
{
        free(c->refused);
}

/* Where ns is or belongs. */
static size_t ns_list_position(const NsList *l, ino_t ns)
{
        size_t low = 0, high = l->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (l->items[middle].ns < ns)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

NsSeen *ns_list_find(const NsList *l, ino_t ns)
{
        size_t at = ns_list_position(l, ns);

        return at < l->n && l->items[at].ns == ns ? l->items + at : NULL;
}

static int ns_list_insert(NsList *l, NsSeen s)
{
        size_t at = ns_list_position(l, s.ns);
        NsSeen *items;

        items = reallocarray(l->items, l->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        l->items = items;
        memmove(items + at + 1, items + at, (l->n++ - at) * sizeof(*items));
        items[at] = s;
        return 0;
}

static int refused_append(Census *c, pid_t pid)
{
        pid_t *refused;

        refused = reallocarray(c->refused, c->n_refused + 1, sizeof(*refused));
        if (!refused)
                return -ENOMEM;
        c->refused = refused;
        c->refused[c->n_refused++] = pid;
        return 0;
}

uint64_t mounts_ns_id(int ns_fd)
{
        uint64_t id;

        return ioctl(ns_fd, GET_NS_ID, &id) < 0 ? 0 : id;
}

static int ns_of_pid(int proc_fd, const char *pid, ino_t *ret)
{
        _cleanup_(closep) int dir_fd = -EBADF;

        dir_fd = openat(proc_fd, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        return mounts_ns_of_dir(dir_fd, ret);
}

static bool has_whole_view(int proc_fd, const char *pid)
{
        char path[32], root[2];

        (void)snprintf(path, sizeof(path), "%s/root", pid);
        return readlinkat(proc_fd, path, root, sizeof(root)) == 1 && root[0] == '/';
}

static int consider(void *arg, int proc_fd, const char *name, pid_t pid)
{
        Census *c = arg;
        NsSeen *seen;
        ino_t ns;
        int r;

        r = ns_of_pid(proc_fd, name, &ns);
        if (r == -ESRCH)
                return 0;
        if (r == -EACCES || r == -EPERM)
                return refused_append(c, pid);
        if (r < 0)
                return r;
        seen = ns_list_find(c->known, ns);
        if (!seen)
                return ns_list_insert(c->known, (NsSeen){ ns, pid, has_whole_view(proc_fd, name) });
        if (!seen->whole && has_whole_view(proc_fd, name))
                *seen = (NsSeen){ ns, pid, true };
        return 0;
}

int mounts_each_pid(PidFn fn, void *arg)
{
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *de;
        pid_t pid;
        int r;

        dir = opendir("/proc");
        if (!dir)
                return -errno;
        for (;;) {
                errno = 0;
                de = readdir(dir);
                if (!de)
                        return -errno;
                if (parse_pid(de->d_name, &pid) < 0)
                        continue;
                r = fn(arg, dirfd(dir), de->d_name, pid);
                if (r != 0)
                        return r;
        }
}

typedef struct Search {
        ino_t ns;
        pid_t found;
} Search;

static int search_pid(void *arg, int proc_fd, const char *name, pid_t pid)
{
        Search *s = arg;
        ino_t ns;

        if (ns_of_pid(proc_fd, name, &ns) < 0 || ns != s->ns)
                return 0;
        s->found = pid;
        return 1;
}

static int ns_open_pid(pid_t pid, ino_t ns)
{
        _cleanup_(closep) int fd = -EBADF;
        char path[48];
        struct stat st;

        (void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        /* EACCES, too, is what a process says that is just going (proc_ns_get_link(),
         * fs/proc/namespaces.c); then the next look does not find it. */
        if (fd < 0 && errno == EACCES)
                fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_ino != ns)
                return -ESRCH;
        return TAKE_FD(fd);
}

int mounts_inhabited_open(pid_t pid, ino_t ns)
{
        Search s = { .ns = ns };
        int fd = -ESRCH, r;

        if (pid > 0)
                fd = ns_open_pid(pid, ns);
        if (fd != -ESRCH)
                return fd;
        r = mounts_each_pid(search_pid, &s);
        if (r <= 0)
                return r < 0 ? r : -ESRCH;
        return ns_open_pid(s.found, ns);
}

int mounts_ns_open(pid_t pid, ino_t ns)
{
        int fd = mounts_inhabited_open(pid, ns);

        return fd == -ESRCH ? mounts_orphan_open(ns) : fd;
}

/* The chosen process may be gone by now while others still live in its namespace. One that nobody
 * lives in any more may live on without: it counts as not seen. */
static int read_seen(NsSeen *seen, MountList *l)
{
        Search s = { .ns = seen->ns, .found = seen->pid };
        int r;

        for (;;) {
                r = mounts_read_process(s.found, s.ns, l);
                if (r != -ESRCH)
                        return r;
                r = mounts_each_pid(search_pid, &s);
                if (r < 0)
                        return r;
                if (r == 0) {
                        seen->pid = 0;
                        return 0;
                }
        }
}

static int compare_number(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

/* mountinfo is readable where the namespace's inode is not. Mount ids are unique in the whole
 * machine, so a mount we know already means a namespace we know already; anything else is hidden
 * from us, and what is hidden cannot be unmounted. */
static int check_refused(pid_t pid, const uint64_t *ids, size_t n_ids)
{
        _cleanup_(mount_list_done) MountList seen = { 0 };
        _cleanup_(closep) int dir_fd = -EBADF;
        char path[32];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
        dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        r = mounts_read_dir(dir_fd, 0, pid, &seen);
        if (r == -ESRCH || r == -EINVAL)
                return 0;
        if (r < 0)
                return r;
        for (size_t i = 0; i < seen.n; i++)
                if (bsearch(&seen.items[i].id, ids, n_ids, sizeof(*ids), compare_number))
                        return 0;
        return -EACCES;
}

static int check_all_refused(const Census *c, const MountList *l)
{
        _cleanup_(freep) uint64_t *ids = NULL;
        int r = 0;

        if (c->n_refused == 0)
                return 0;
        ids = calloc(l->n + 1, sizeof(*ids));
        if (!ids)
                return -ENOMEM;
        for (size_t i = 0; i < l->n; i++)
                ids[i] = l->items[i].id;
        qsort(ids, l->n, sizeof(*ids), compare_number);
        for (size_t i = 0; i < c->n_refused && r == 0; i++)
                r = check_refused(c->refused[i], ids, l->n);
        return r;
}

static int compare_pid(const void *a, const void *b)
{
        const NsSeen *x = a, *y = b;

        return (x->pid > y->pid) - (x->pid < y->pid);
}

/* In the order of their processes, so that PID 1's comes first. */
static int read_known(NsList *known, MountList *l)
{
        _cleanup_(freep) NsSeen *order = calloc(known->n + 1, sizeof(*order));
        int r = 0;

        if (!order)
                return -ENOMEM;
        for (size_t i = 0; i < known->n; i++)
                order[i] = known->items[i];
        qsort(order, known->n, sizeof(*order), compare_pid);
        for (size_t i = 0; i < known->n && r == 0; i++) {
                r = read_seen(order + i, l);
                ns_list_find(known, order[i].ns)->pid = order[i].pid;
        }
        return r;
}

int mounts_read_inhabited(NsList *known, MountList *l)
{
        _cleanup_(census_done) Census c = { .known = known };
        int r;

        r = mounts_each_pid(consider, &c);
        if (r == 0)
                r = read_known(known, l);
        return r < 0 ? r : check_all_refused(&c, l);
}

static int read_all(MountList *l)
{
        NsList known = { 0 };
        int r;

        r = mounts_read_inhabited(&known, l);
        if (r == 0)
                r = mounts_read_orphans(&known, l);
        free(known.items);
        return r;
}

int mounts_read_all(MountList *l)
{
        _cleanup_(mount_list_done) MountList all = { 0 };
        Mount *items;
        int r;

        r = read_all(&all);
        if (r < 0)
                return r;
        items = reallocarray(l->items, l->n + all.n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        memcpy(items + l->n, all.items, all.n * sizeof(*items));
        l->items = items;
        l->n += all.n;
        all.n = 0;
        return 0;
}

int mounts_any(dev_t dev)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        int r;

        r = mounts_read_all(&l);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l.n; i++)
                if (l.items[i].dev == dev)
                        return 1;
        return 0;
}
