/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What one process does to the asked filesystems and nodes: its descriptors, its directories, its
 * program, its mappings, and the same of threads that have tables of their own. */

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "sys/proc-internal.h"

static ProcHit *find_hit(ProcHit *hits, size_t n, dev_t dev)
{
        for (size_t i = 0; i < n; i++)
                if (hits[i].dev == dev)
                        return hits + i;
        return NULL;
}

ProcHit *proc_scan_dev(const ProcScan *s, dev_t dev)
{
        return find_hit(s->devs, s->n_devs, dev);
}

ProcHit *proc_scan_node(const ProcScan *s, dev_t rdev)
{
        return find_hit(s->nodes, s->n_nodes, rdev);
}

void proc_scan_hit(ProcScan *s, ProcHit *hit, unsigned use, const char *example)
{
        if (hit->uses == 0)
                (void)snprintf(hit->example, sizeof(hit->example), "%s", example);
        hit->uses |= use;
        s->any = true;
}

static void hit_link(ProcScan *s, ProcHit *hit, unsigned use, int dir_fd, const char *name)
{
        char target[sizeof(hit->example)] = "";
        ssize_t n;

        if (hit->uses == 0) {
                n = readlinkat(dir_fd, name, target, sizeof(target) - 1);
                target[n > 0 ? n : 0] = '\0';
        }
        proc_scan_hit(s, hit, use, target);
}

/* btrfs gives each subvolume and overlayfs each layer a device number of its own, which mountinfo
 * does not show; the mount says whose it is (fs/overlayfs/inode.c, ovl_map_dev_ino). */
static ProcHit *hit_of_file(const ProcScan *s, dev_t dev, const struct statx *stx)
{
        ProcHit *hit = proc_scan_dev(s, dev);

        if (hit || !(stx->stx_mask & STATX_MNT_ID))
                return hit;
        for (size_t i = 0; i < s->n_mounts; i++)
                if (s->mounts[i].id == stx->stx_mnt_id)
                        return s->mounts[i].hit;
        return NULL;
}

/* No sync: the answer of a dead network mount is not waited for. */
static int look_at_link(ProcScan *s, int process_fd, int dir_fd, const char *name, unsigned use)
{
        ProcHit *hit;
        struct statx stx;
        dev_t dev;

        if (statx(dir_fd, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
                    STATX_TYPE | STATX_INO | STATX_MNT_ID, &stx) < 0) {
                if (proc_is_gone_or_refused(-errno) ||
                        proc_link_dev(process_fd, dir_fd, name, &dev) < 0)
                        return 0;
                stx = (struct statx){ 0 };
        } else
                dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
        hit = hit_of_file(s, dev, &stx);
        if (hit)
                hit_link(s, hit, use, dir_fd, name);
        if (S_ISSOCK(stx.stx_mode) && s->n_devs > 0)
                return proc_scan_socket(s, process_fd, dev, stx.stx_ino);
        if (!S_ISBLK(stx.stx_mode) && !S_ISCHR(stx.stx_mode))
                return 0;
        hit = proc_scan_node(s, makedev(stx.stx_rdev_major, stx.stx_rdev_minor));
        if (hit)
                hit_link(s, hit, PROC_USE_NODE, dir_fd, name);
        return 0;
}

typedef int (*EntryFn)(ProcScan *s, int dir_fd, const char *name, void *arg);

/* Entries of a directory whose names are numbers. The buffer is the scan's own, so fn may not read
 * mappings while it is in use; threads pass one of theirs. */
static int for_each_number(ProcScan *s, int dir_fd, char *buf, size_t size, EntryFn fn, void *arg)
{
        const struct dirent64 *de;
        ssize_t n;
        int r;

        for (;;) {
                n = getdents64(dir_fd, buf, size);
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                for (ssize_t i = 0; i < n; i += de->d_reclen) {
                        de = (const struct dirent64 *)(const void *)(buf + i);
                        if (de->d_name[0] < '0' || de->d_name[0] > '9')
                                continue;
                        r = fn(s, dir_fd, de->d_name, arg);
                        if (r < 0)
                                return r;
                }
        }
}

static int look_at_fd(ProcScan *s, int dir_fd, const char *name, void *arg)
{
        const int *process_fd = arg;

        return look_at_link(s, *process_fd, dir_fd, name, PROC_USE_FD);
}

static int look_at_fds(ProcScan *s, int process_fd)
{
        _cleanup_(closep) int fd = -EBADF;

        fd = openat(process_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return for_each_number(s, fd, s->buf, PROC_SCAN_BUFFER, look_at_fd, &process_fd);
}

static int look_at_fs(ProcScan *s, int process_fd)
{
        int r;

        r = look_at_link(s, process_fd, process_fd, "cwd", PROC_USE_CWD);
        return r < 0 ? r : look_at_link(s, process_fd, process_fd, "root", PROC_USE_ROOT);
}

static int ignore_gone(int r)
{
        return proc_is_gone_or_refused(r) ? 0 : r;
}

static int look_at_task(ProcScan *s, int process_fd)
{
        int r;

        r = ignore_gone(look_at_fds(s, process_fd));
        if (r >= 0)
                r = look_at_fs(s, process_fd);
        if (r >= 0)
                r = look_at_link(s, process_fd, process_fd, "exe", PROC_USE_EXE);
        if (r < 0)
                return r;
        return ignore_gone(
                s->query ? proc_scan_query(s, process_fd) : proc_scan_maps(s, process_fd));
}

typedef struct Threads {
        pid_t leader;
        pid_t base; /* the thread whose tables have been looked at; 0: none yet */
} Threads;

/* A refusal is not a difference. Without kcmp nothing is known, and if the other thread has just
 * gone nothing was compared: both mean that this one must be looked at. */
static bool differs(pid_t a, pid_t b, int what)
{
        long r;

        r = syscall(SYS_kcmp, a, b, what, 0, 0);
        return r > 0 || (r < 0 && (errno == ENOSYS || errno == ESRCH));
}

static int look_at_thread(ProcScan *s, int task_fd, const char *name, void *arg)
{
        Threads *t = arg;
        _cleanup_(closep) int dir_fd = -EBADF;
        pid_t tid;
        int r;

        if (parse_pid(name, &tid) < 0 || tid == t->leader)
                return 0;
        dir_fd = openat(task_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return ignore_gone(-errno);
        if (t->base == 0) {
                t->base = tid;
                return look_at_task(s, dir_fd);
        }
        if (differs(t->base, tid, KCMP_FS)) {
                r = look_at_fs(s, dir_fd);
                if (r < 0)
                        return r;
        }
        if (!differs(t->base, tid, KCMP_FILES))
                return 0;
        return ignore_gone(look_at_fds(s, dir_fd));
}

/* A leader that has exited before its threads has no files and no memory any more; they have. */
static int look_at_threads(ProcScan *s, int process_fd, pid_t pid)
{
        _cleanup_(closep) int task_fd = -EBADF;
        Threads t = { .leader = pid, .base = pid };
        char buf[4096];
        struct stat st;
        ProcStat leader;

        /* "." and ".." and one per thread: fs/proc/base.c, proc_task_getattr. */
        if (fstatat(process_fd, "task", &st, 0) < 0)
                return -errno;
        if (st.st_nlink <= 3)
                return 0;
        if (proc_stat_read(process_fd, &leader) == 0 &&
                (leader.state == 'Z' || leader.state == 'X'))
                t.base = 0;
        task_fd = openat(process_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (task_fd < 0)
                return -errno;
        return for_each_number(s, task_fd, buf, sizeof(buf), look_at_thread, &t);
}

int proc_scan_process(ProcScan *s, int proc_fd, pid_t pid)
{
        _cleanup_(closep) int process_fd = -EBADF;
        char name[16];
        int r;

        (void)snprintf(name, sizeof(name), "%d", pid);
        process_fd = openat(proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (process_fd < 0)
                return ignore_gone(-errno);
        s->net_known = false;
        r = look_at_task(s, process_fd);
        if (r >= 0)
                r = ignore_gone(look_at_threads(s, process_fd, pid));
        if (r >= 0 && s->any)
                r = ignore_gone(proc_scan_record(s, process_fd, pid));
        return r;
}
