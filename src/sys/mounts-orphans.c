/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mount namespaces without a process, which a descriptor or a bind mount of nsfs keeps alive. Since
 * 6.12 the kernel lists all namespaces (NS_MNT_GET_NEXT, fs/nsfs.c). Before, only what keeps one
 * can be looked for: links to "mnt:[INODE]" among the descriptors of processes, and mounts of type
 * nsfs in any namespace. A descriptor in flight or one of io_uring shows nowhere, nor does a bind
 * mount that another mount hides: the exclusive open of the disk is what finds those out.
 *
 * A namespace that is held open here outlives its last process until it is closed: what is listed
 * then may be gone when it is to be unmounted, and that is success. */

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "sys/child.h"
#include "sys/mounts-internal.h"

#define ORPHANS_TIMEOUT_USEC (10 * USEC_PER_SEC)

/* include/uapi/linux/nsfs.h, 6.12; the first published size of the structure, which stays valid. */
typedef struct MntNsInfo {
        uint32_t size;
        uint32_t nr_mounts;
        uint64_t mnt_ns_id;
} MntNsInfo;
#define GET_NEXT _IOR(0xb7, 11, MntNsInfo)
#define GET_PREVIOUS _IOR(0xb7, 12, MntNsInfo)

typedef struct NsFd {
        ino_t ns;
        int fd;
} NsFd;

typedef struct OrphanSearch {
        const NsList *known; /* passed over; NULL: nothing is */
        ino_t want;          /* of the kernel's list only this one, 0: all */
        bool collect;        /* else the first one found ends the search with 1 */
        int self_fd;         /* /proc/self and the way back, for who leaves his namespace */
        int own_fd;
        NsFd *found;
        size_t n;
} OrphanSearch;

static void search_done(OrphanSearch *s)
{
        for (size_t i = 0; i < s->n; i++)
                (void)safe_close(s->found[i].fd);
        free(s->found);
        (void)safe_close(s->self_fd);
        (void)safe_close(s->own_fd);
}

static bool is_known(const NsList *known, ino_t ns)
{
        const NsSeen *seen = known ? ns_list_find(known, ns) : NULL;

        return seen && seen->pid != 0;
}

static bool is_new(const OrphanSearch *s, ino_t ns)
{
        if (ns == 0 || is_known(s->known, ns))
                return false;
        for (size_t i = 0; i < s->n; i++)
                if (s->found[i].ns == ns)
                        return false;
        return true;
}

/* Takes the descriptor. */
static int append(OrphanSearch *s, ino_t ns, int fd)
{
        _cleanup_(closep) int owned = fd;
        NsFd *found;

        found = reallocarray(s->found, s->n + 1, sizeof(*found));
        if (!found)
                return -ENOMEM;
        s->found = found;
        s->found[s->n++] = (NsFd){ ns, TAKE_FD(owned) };
        return 0;
}

/* --- the kernel's list --- */

static int consider_listed(OrphanSearch *s, int ns_fd)
{
        struct stat st;
        int fd;

        if (fstat(ns_fd, &st) < 0)
                return -errno;
        if (!is_new(s, st.st_ino) || (s->want != 0 && st.st_ino != s->want))
                return 0;
        if (!s->collect)
                return 1;
        fd = fcntl(ns_fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : append(s, st.st_ino, fd);
}

/* They are sorted by number, so from our own there are two directions: the number tells the age,
 * but since 6.18 only among those made on one processor. Each step takes a reference to the next,
 * or passes over what is dying and what we have no power over (lookup_next_mnt_ns(),
 * fs/namespace.c, 6.12). */
static int walk(OrphanSearch *s, unsigned long request)
{
        _cleanup_(closep) int at = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        int next, r = 0;

        if (at < 0)
                return -errno;
        while (r == 0) {
                MntNsInfo info = { .size = sizeof(info) };

                next = ioctl(at, request, &info);
                if (next < 0)
                        return errno == ENOENT ? 0 : -errno;
                (void)safe_close(at);
                at = next;
                r = consider_listed(s, at);
        }
        return r;
}

/* -ENOTTY: this kernel has no list, or not for us. */
static int walk_listed(OrphanSearch *s)
{
        int r = walk(s, GET_NEXT);

        if (r == 0)
                r = walk(s, GET_PREVIOUS);
        return r == -EPERM ? -ENOTTY : r;
}

/* --- the traces --- */

static ino_t parse_trace(const char *text)
{
        char number[24];
        uint64_t ino;
        size_t n;

        if (strncmp(text, "mnt:[", 5) != 0)
                return 0;
        n = strcspn(text + 5, "]");
        if (n >= sizeof(number))
                return 0;
        memcpy(number, text + 5, n);
        number[n] = '\0';
        return parse_u64(number, &ino) < 0 ? 0 : (ino_t)ino;
}

static ino_t trace_of_mount(const Mount *m)
{
        return streq(m->fstype, "nsfs") ? parse_trace(m->root) : 0;
}

/* Only what is a namespace is opened for real: the name may by now mean something whose opening has
 * an effect. */
static int open_nsfs(const OrphanSearch *s, int dir_fd, const char *name, int flags, ino_t ns)
{
        _cleanup_(closep) int path_fd = openat(dir_fd, name, O_PATH | O_CLOEXEC | flags);
        char again[32];
        struct statfs fs;
        struct stat st;
        int fd;

        if (path_fd < 0 || fstat(path_fd, &st) < 0 || fstatfs(path_fd, &fs) < 0)
                return -errno;
        if (fs.f_type != NSFS_MAGIC || st.st_ino != ns)
                return -ESTALE;
        (void)snprintf(again, sizeof(again), "fd/%d", path_fd);
        fd = openat(s->self_fd, again, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* What vanishes before it is opened is no namespace to be listed, or has another trace. */
static int follow(OrphanSearch *s, int dir_fd, const char *name, int flags, ino_t ns)
{
        int fd;

        if (!s->collect)
                return 1;
        fd = open_nsfs(s, dir_fd, name, flags, ns);
        return fd < 0 ? 0 : append(s, ns, fd);
}

static int trace_fd(OrphanSearch *s, int dir_fd, const char *name)
{
        char text[32];
        ssize_t n;
        ino_t ns;

        n = readlinkat(dir_fd, name, text, sizeof(text) - 1);
        if (n <= 0)
                return 0;
        text[n] = '\0';
        ns = parse_trace(text);
        return is_new(s, ns) ? follow(s, dir_fd, name, 0, ns) : 0;
}

static int trace_fds(void *arg, int proc_fd, const char *name, pid_t pid)
{
        _cleanup_(freep) char *path = string_printf("%s/fd", name);
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *de;
        int fd, r = 0;

        if (!path)
                return -ENOMEM;
        fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        dir = fdopendir(fd);
        if (!dir) {
                r = errno == ENOMEM ? -ENOMEM : 0; /* else the process is gone by now */
                (void)safe_close(fd);
                return r;
        }
        while (r == 0 && (de = readdir(dir)))
                r = trace_fd(arg, dirfd(dir), de->d_name);
        return r;
}

/* Back first, because /proc is looked up in our own namespace. */
static int enter(const OrphanSearch *s, const Mount *m)
{
        _cleanup_(closep) int fd = -EBADF;

        if (setns(s->own_fd, CLONE_NEWNS) < 0)
                return -errno;
        fd = mounts_inhabited_open(m->ns_pid, m->ns);
        if (fd < 0)
                return fd;
        return setns(fd, CLONE_NEWNS) < 0 ? -errno : 0;
}

static int trace_mounts(OrphanSearch *s, const MountList *l)
{
        int r = 0;

        for (size_t i = 0; i < l->n && r == 0; i++) {
                const Mount *m = l->items + i;
                ino_t ns = trace_of_mount(m);

                if (!is_new(s, ns))
                        continue;
                if (s->collect)
                        r = enter(s, m);
                if (r == 0)
                        r = follow(s, AT_FDCWD, m->target, O_NOFOLLOW, ns);
                else if (r == -ESRCH)
                        r = 0;
        }
        return r;
}

/* What was found may lead to more. There is no circle: nsfs is mounted only where the namespace has
 * a lower number than the one it shows (mnt_ns_loop(), fs/namespace.c). */
static int trace_found(OrphanSearch *s)
{
        int r = 0;

        for (size_t i = 0; i < s->n && r == 0; i++) {
                _cleanup_(mount_list_done) MountList l = { 0 };

                if (setns(s->found[i].fd, CLONE_NEWNS) < 0)
                        return -errno;
                r = mounts_read_dir(s->self_fd, s->found[i].ns, 0, &l);
                for (size_t k = 0; k < l.n && r == 0; k++) {
                        ino_t ns = trace_of_mount(l.items + k);

                        if (is_new(s, ns))
                                r = follow(s, AT_FDCWD, l.items[k].target, O_NOFOLLOW, ns);
                }
        }
        return r;
}

static int search_traces(OrphanSearch *s, const MountList *l)
{
        int r = mounts_each_pid(trace_fds, s);

        if (r == 0)
                r = trace_mounts(s, l);
        return r == 0 && s->collect ? trace_found(s) : r;
}

static int search(OrphanSearch *s, const MountList *l)
{
        int r = walk_listed(s);

        return r == -ENOTTY ? search_traces(s, l) : r;
}

static int open_ways(OrphanSearch *s)
{
        s->self_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        s->own_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        return s->self_fd < 0 || s->own_fd < 0 ? -errno : 0;
}

/* --- opening one --- */

static int open_found(const OrphanSearch *s, ino_t ns)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->found[i].ns == ns) {
                        int fd = fcntl(s->found[i].fd, F_DUPFD_CLOEXEC, 3);

                        return fd < 0 ? -errno : fd;
                }
        return -ESRCH;
}

static int open_traced(OrphanSearch *s)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        NsList known = { 0 };
        int r;

        r = mounts_read_inhabited(&known, &l);
        free(known.items);
        if (r < 0)
                return r;
        r = search_traces(s, &l);
        if (setns(s->own_fd, CLONE_NEWNS) < 0)
                return -errno;
        return r;
}

int mounts_orphan_open(ino_t ns)
{
        _cleanup_(search_done) OrphanSearch s = {
                .want = ns,
                .collect = true,
                .self_fd = -EBADF,
                .own_fd = -EBADF,
        };
        int r;

        r = open_ways(&s);
        if (r == 0)
                r = walk_listed(&s);
        if (r == -ENOTTY)
                r = open_traced(&s);
        return r < 0 ? r : open_found(&s, ns);
}

/* --- reading all --- */

/* Before the text of each namespace. */
typedef struct Section {
        uint64_t ns;
        uint64_t ns_id;
        uint64_t n_bytes;
} Section;

typedef struct OrphanCall {
        const NsList *known;
        const MountList *mounts;
        int text_fd;
} OrphanCall;

static int write_section(int text_fd, int self_fd, const NsFd *found)
{
        _cleanup_(closep) int fd = openat(self_fd, "mountinfo", O_RDONLY | O_CLOEXEC);
        off_t start = lseek(text_fd, 0, SEEK_CUR), end;
        Section head = { .ns = found->ns, .ns_id = mounts_ns_id(found->fd) };
        int r;

        if (fd < 0 || start < 0)
                return -errno;
        if (lseek(text_fd, start + (off_t)sizeof(head), SEEK_SET) < 0)
                return -errno;
        r = mounts_copy_text(fd, text_fd);
        end = lseek(text_fd, 0, SEEK_CUR);
        if (r < 0 || end < 0)
                return r < 0 ? r : -errno;
        head.n_bytes = (uint64_t)(end - start) - sizeof(head);
        return pwrite(text_fd, &head, sizeof(head), start) == sizeof(head) ? 0 : -EIO;
}

/* setns(2) moves the caller to the root of the namespace, from where mountinfo shows all of it.
 * What is known is searched nevertheless, because its process may only have looked around there, as
 * we do here, and be gone when the way leads through it to others. */
static int copy_orphans(void *arg)
{
        const OrphanCall *call = arg;
        OrphanSearch s = { .collect = true };
        int r;

        r = open_ways(&s);
        if (r == 0)
                r = search(&s, call->mounts);
        for (size_t i = 0; i < s.n && r == 0; i++) {
                if (is_known(call->known, s.found[i].ns))
                        continue;
                if (setns(s.found[i].fd, CLONE_NEWNS) < 0)
                        return -errno;
                r = write_section(call->text_fd, s.self_fd, s.found + i);
        }
        return r;
}

static int read_section(int text_fd, off_t start, const Section *head, MountList *l)
{
        _cleanup_(freep) char *text = malloc(head->n_bytes + 1);
        _cleanup_(fclosep) FILE *f = NULL;
        size_t before = l->n;
        int r;

        if (!text)
                return -ENOMEM;
        if (pread(text_fd, text, head->n_bytes, start) != (ssize_t)head->n_bytes)
                return -EIO;
        f = fmemopen(text, head->n_bytes, "re");
        if (!f)
                return -errno;
        r = mounts_read_text(f, (ino_t)head->ns, 0, l);
        for (size_t i = before; i < l->n; i++)
                l->items[i].ns_id = head->ns_id;
        return r;
}

static int read_sections(int text_fd, MountList *l)
{
        off_t at = 0;
        Section head;
        ssize_t n;
        int r = 0;

        while (r == 0 && (n = pread(text_fd, &head, sizeof(head), at)) > 0) {
                if (n != sizeof(head))
                        return -EIO;
                at += (off_t)sizeof(head);
                /* Everything in it may have been unmounted. */
                if (head.n_bytes > 0)
                        r = read_section(text_fd, at, &head, l);
                at += (off_t)head.n_bytes;
        }
        return r;
}

/* The search that costs a process is made only if a short one says that there is something. */
static int exist(const NsList *known, const MountList *l)
{
        OrphanSearch s = { .known = known, .self_fd = -EBADF, .own_fd = -EBADF };

        return search(&s, l);
}

int mounts_read_orphans(const NsList *known, MountList *l)
{
        OrphanCall call = { .known = known, .mounts = l };
        _cleanup_(closep) int text_fd = -EBADF;
        int r;

        r = exist(known, l);
        if (r <= 0)
                return r;
        text_fd = memfd_create("mountinfo", MFD_CLOEXEC);
        if (text_fd < 0)
                return -errno;
        call.text_fd = text_fd;
        r = child_call(copy_orphans, &call, ORPHANS_TIMEOUT_USEC, -EBADF);
        return r < 0 ? r : read_sections(text_fd, l);
}
