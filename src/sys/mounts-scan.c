/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds the mount namespaces of the machine through their processes and one process to read each
 * by. A namespace that only a descriptor or a bind mount keeps alive is not seen here: the
 * exclusive open of the device is what proves that nothing is left (performance-facts 6). */

#include <fcntl.h>
#include <sys/stat.h>

#include "sys/mounts-internal.h"
#include "sys/mounts.h"
#include "sys/proc-internal.h"

/* One line per mount namespace; refused is a process that we may not look into. */
typedef struct Seen {
        ino_t ns;
        pid_t pid;
        bool whole; /* its root is the namespace's root */
} Seen;

typedef struct SeenList {
        Seen *items;
        size_t n;
        pid_t *refused;
        size_t n_refused;
} SeenList;

static void seen_list_done(SeenList *l)
{
        free(l->items);
        free(l->refused);
}

static int seen_append(SeenList *l, Seen s)
{
        Seen *items;

        items = reallocarray(l->items, l->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        l->items = items;
        l->items[l->n++] = s;
        return 0;
}

static int refused_append(SeenList *l, pid_t pid)
{
        pid_t *refused;

        refused = reallocarray(l->refused, l->n_refused + 1, sizeof(*refused));
        if (!refused)
                return -ENOMEM;
        l->refused = refused;
        l->refused[l->n_refused++] = pid;
        return 0;
}

static Seen *seen_find(const SeenList *l, ino_t ns)
{
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].ns == ns)
                        return l->items + i;
        return NULL;
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

static int consider(SeenList *l, int proc_fd, const char *name, pid_t pid)
{
        Seen *seen;
        ino_t ns;
        int r;

        r = ns_of_pid(proc_fd, name, &ns);
        if (r == -ESRCH)
                return 0;
        if (r == -EACCES || r == -EPERM)
                return refused_append(l, pid);
        if (r < 0)
                return r;
        seen = seen_find(l, ns);
        if (!seen)
                return seen_append(l, (Seen){ ns, pid, has_whole_view(proc_fd, name) });
        if (!seen->whole && has_whole_view(proc_fd, name))
                *seen = (Seen){ ns, pid, true };
        return 0;
}

typedef int (*PidFn)(void *arg, int proc_fd, const char *name, pid_t pid);

/* Calls fn for each process in ascending order until it does not return 0. */
static int for_each_pid(PidFn fn, void *arg)
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

static int consider_pid(void *arg, int proc_fd, const char *name, pid_t pid)
{
        return consider(arg, proc_fd, name, pid);
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
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_ino != ns)
                return -ESRCH;
        return TAKE_FD(fd);
}

int mounts_ns_open(pid_t pid, ino_t ns)
{
        Search s = { .ns = ns };
        int fd, r;

        fd = ns_open_pid(pid, ns);
        if (fd != -ESRCH)
                return fd;
        r = for_each_pid(search_pid, &s);
        if (r <= 0)
                return r < 0 ? r : -ESRCH;
        return ns_open_pid(s.found, ns);
}

/* The chosen process may be gone by now while others still live in its namespace. */
static int read_seen(const Seen *seen, MountList *l)
{
        Search s = { .ns = seen->ns, .found = seen->pid };
        int r;

        for (;;) {
                r = mounts_read_process(s.found, s.ns, l);
                if (r != -ESRCH)
                        return r;
                r = for_each_pid(search_pid, &s);
                if (r <= 0)
                        return r;
        }
}

static bool lists_overlap(const MountList *a, const MountList *b)
{
        for (size_t i = 0; i < a->n; i++)
                for (size_t j = 0; j < b->n; j++)
                        if (a->items[i].id == b->items[j].id)
                                return true;
        return false;
}

/* mountinfo is readable where the namespace's inode is not. Mount ids are unique in the whole
 * machine, so a mount we know already means a namespace we know already; anything else is hidden
 * from us, and what is hidden cannot be unmounted. */
static int check_refused(pid_t pid, const MountList *l)
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
        return lists_overlap(&seen, l) ? 0 : -EACCES;
}

static int read_all(MountList *l)
{
        _cleanup_(seen_list_done) SeenList seen = { 0 };
        int r;

        r = for_each_pid(consider_pid, &seen);
        if (r < 0)
                return r;
        for (size_t i = 0; i < seen.n; i++) {
                r = read_seen(seen.items + i, l);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < seen.n_refused; i++) {
                r = check_refused(seen.refused[i], l);
                if (r < 0)
                        return r;
        }
        return 0;
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
