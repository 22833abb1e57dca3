/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mount namespaces without a process, once with the kernel's list of them and once without, as
 * before 6.12. */

#include "fixture-mounts.h"

#include <sys/sysmacros.h>
#include <time.h>

static bool no_list;

/* The test may stand on a kernel that has the list; this takes it away. */
int __real_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
        if (no_list && _IOC_TYPE(request) == 0xb7) {
                errno = ENOTTY;
                return -1;
        }
        return __real_ioctl(fd, request, arg);
}

static int open_ns(pid_t pid)
{
        char path[48];
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        return fd;
}

/* A namespace with a tmpfs in it that only this descriptor keeps. */
static int make_orphan(ino_t *ret)
{
        Holder h;
        int fd;

        need_scratch();
        h = holder_start(in_own_namespace, NULL);
        *ret = ns_of(h.pid);
        fd = open_ns(h.pid);
        holder_stop(&h);
        return fd;
}

static const char keeper[] = SCRATCH "/keeper";

static void keep_by_mount(int *fd)
{
        char path[48];

        write_file(keeper, "");
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
        assert_int_equal(mount(path, keeper, NULL, MS_BIND, NULL), 0);
        *fd = safe_close(*fd);
}

static void let_go(void)
{
        /* Lazily: another test that looks for namespaces may have it open. */
        assert_int_equal(umount2(keeper, MNT_DETACH), 0);
        assert_int_equal(unlink(keeper), 0);
        clean_theirs();
}

static MountPlace place_in(ino_t ns)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        MountPlace p = { .ns = ns, .target = SCRATCH "/theirs" };

        read_all_or_skip(&l);
        /* The uppermost comes last. */
        for (const Mount *m = l.items; m < l.items + l.n; m++) {
                if (m->ns != ns || !streq(m->target, p.target))
                        continue;
                p.id = m->id;
                p.ns_id = m->ns_id;
                p.dev = m->dev;
        }
        return p;
}

static MountPlace unmount_in(ino_t ns)
{
        _cleanup_(closep) int fd = -EBADF;
        MountPlace p = place_in(ns);

        assert_true(p.id != 0);
        assert_int_equal(mounts_any(p.dev), 1);
        assert_int_equal(mounts_present(&p), 1);
        assert_int_equal(mounts_busy(&p), 0);
        fd = mounts_open(&p);
        assert_true(fd >= 0);
        assert_int_equal(mounts_busy(&p), 1);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), -EBUSY);
        fd = safe_close(fd);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), 0);
        assert_int_equal(mounts_present(&p), 0);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), -ENOENT);
        assert_true(place_in(ns).id == 0);
        return p;
}

static void kept_by_fd(void)
{
        MountPlace p;
        ino_t ns;
        int fd = make_orphan(&ns);

        p = unmount_in(ns);
        (void)close(fd);
        /* Without it, another test's namespace may have all the same numbers by now. */
        if (p.ns_id != 0)
                assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), -ENOENT);
        clean_theirs();
}

static void kept_by_mount(void)
{
        ino_t ns;
        int fd = make_orphan(&ns);

        keep_by_mount(&fd);
        (void)unmount_in(ns);
        let_go();
}

/* In the namespace of outer_fd. */
static int keep_there(int outer_fd, int inner_fd)
{
        char path[48];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", inner_fd);
        if (setns(outer_fd, CLONE_NEWNS) < 0)
                return errno;
        write_file(SCRATCH "/theirs/keeper", "");
        return mount(path, SCRATCH "/theirs/keeper", NULL, MS_BIND, NULL) < 0 ? errno : 0;
}

/* The bind mount that keeps it is in a namespace without a process itself. */
static void kept_by_orphan(void)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        Holder outer;
        ino_t inner_ns, outer_ns;
        int outer_fd, inner_fd, status;
        pid_t pid;

        need_scratch();
        outer = holder_start(in_own_namespace, NULL);
        outer_ns = ns_of(outer.pid);
        outer_fd = open_ns(outer.pid);
        inner_fd = make_orphan(&inner_ns);
        pid = fork();
        if (pid == 0)
                _exit(keep_there(outer_fd, inner_fd));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        (void)close(inner_fd);
        holder_stop(&outer);
        (void)unmount_in(inner_ns);
        read_all_or_skip(&l);
        assert_non_null(find_in_ns(&l, outer_ns, SCRATCH "/theirs/keeper"));
        (void)close(outer_fd);
        clean_theirs();
}

static void placed(void)
{
        MountPlace p = { .target = SCRATCH "/theirs" };
        int loop_fd = need_ext4(), fd, r = 0;
        ino_t ns;

        assert_int_equal(umount2(SCRATCH "/first", 0), 0);
        fd = make_orphan(&ns);
        p.ns = ns;
        p.propagation = "private";
        assert_int_equal(
                mounts_place(&p, loop, "/sub dir", "ext4", "ro,relatime", "rw", PATIENCE), 0);
        p = place_in(ns);
        assert_true(major(p.dev) != 0);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), 0);
        (void)close(fd);
        /* Whoever has its number now is somebody else; another test that looks for namespaces may
         * keep it for a moment. */
        p.dev = 0;
        for (int i = 0; i < 1000 && p.ns_id != 0 && r == 0; i++) {
                r = mounts_place(&p, loop, "/", "ext4", "rw,relatime", "rw", PATIENCE);
                (void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        }
        assert_true(p.ns_id == 0 || r == -ESRCH);
        clean_theirs();
        done_ext4(loop_fd);
}

static void test_by_list(void **state)
{
        no_list = false;
        kept_by_fd();
        kept_by_mount();
        kept_by_orphan();
        placed();
}

static void test_by_traces(void **state)
{
        no_list = true;
        kept_by_fd();
        kept_by_mount();
        kept_by_orphan();
        placed();
}

/* Somebody's namespace is not taken for one without a process. */
static void test_inhabited(void **state)
{
        _cleanup_(closep) int fd = -EBADF;

        for (int i = 0; i < 2; i++) {
                _cleanup_(mount_list_done) MountList l = { 0 };
                const Mount *m;
                Holder h;

                no_list = i == 1;
                need_scratch();
                h = holder_start(in_own_namespace, NULL);
                fd = open_ns(h.pid);
                read_all_or_skip(&l);
                m = find_in_ns(&l, ns_of(h.pid), SCRATCH "/theirs");
                assert_non_null(m);
                assert_int_equal(m->ns_pid, h.pid);
                for (size_t k = 0; k < l.n; k++)
                        assert_true(l.items + k <= m || l.items[k].id != m->id);
                holder_stop(&h);
                fd = safe_close(fd);
                clean_theirs();
        }
}

/* nsfs is mounted only in a namespace with a lower number than that which it shows, and since 6.18
 * each processor has numbers of its own to give away. */
static int stay_on_this_cpu(void **state)
{
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET((size_t)sched_getcpu(), &set);
        return sched_setaffinity(0, sizeof(set), &set) < 0 ? -1 : group_setup(state);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_by_list),
                cmocka_unit_test(test_by_traces),
                cmocka_unit_test(test_inhabited),
        };

        return cmocka_run_group_tests(tests, stay_on_this_cpu, NULL);
}
