/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading, unmounting and placing in namespaces that the test makes for itself. Needs root for
 * other namespaces and loop devices for real filesystems; what cannot be had is skipped, not
 * passed. */

#include "fixture-mounts.h"

#include <limits.h>
#include <sys/sysmacros.h>

#include "sys/mounts-internal.h"

static void test_read_own(void **state)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        struct stat st;
        size_t seen = 0;

        assert_int_equal(mounts_read(0, &l), 0);
        assert_true(l.n > 0);
        for (size_t i = 0; i < l.n; i++) {
                const Mount *m = l.items + i;

                assert_true(m->ns == ns_of(getpid()));
                assert_true(m->root[0] && m->target[0] == '/' && m->fstype[0]);
                if (mount_list_resolve(&l, m->target) != m || stat(m->target, &st) < 0 ||
                        major(m->dev) == 0)
                        continue;
                assert_true(st.st_dev == m->dev);
                seen++;
        }
        /* A machine may have no mounted block device; the scratch tmpfs is checked for all. */
        need_scratch();
        assert_int_equal(stat(SCRATCH, &st), 0);
        assert_non_null(find_target(&l, SCRATCH));
        assert_true(find_target(&l, SCRATCH)->dev == st.st_dev);
}

static void test_read_nobody(void **state)
{
        MountList l = { 0 };
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(mounts_read(pid, &l), -ESRCH);
        assert_int_equal(l.n, 0);
}

static void test_parents_come_first(void **state)
{
        _cleanup_(mount_list_done) MountList l = { 0 };

        need_scratch();
        mount_tmpfs(SCRATCH "/late");
        mount_tmpfs(SCRATCH "/early");
        /* Now the older mount stands on the younger one. */
        assert_int_equal(mkdir(SCRATCH "/early/late", 0700), 0);
        assert_int_equal(mount(SCRATCH "/late", SCRATCH "/early/late", NULL, MS_MOVE, NULL), 0);
        assert_int_equal(mounts_read(0, &l), 0);
        assert_true(find_target(&l, SCRATCH "/early/late") > find_target(&l, SCRATCH "/early"));
        for (size_t i = 0; i < l.n; i++)
                for (size_t j = i + 1; j < l.n; j++)
                        assert_true(l.items[i].parent_id != l.items[j].id);
        assert_int_equal(umount2(SCRATCH "/early", MNT_DETACH), 0);
}

static void test_resolve(void **state)
{
        Mount m[] = {
                { .id = 1, .parent_id = 0, .target = (char *)"/" },
                { .id = 2, .parent_id = 1, .target = (char *)"/a" },
                { .id = 3, .parent_id = 2, .target = (char *)"/a/b" },
                { .id = 4, .parent_id = 3, .target = (char *)"/a/b" },
                { .id = 5, .parent_id = 1, .target = (char *)"/ab" },
                { .id = 6, .parent_id = 1, .target = (char *)"/c/d/e" },
                { .id = 7, .parent_id = 1, .target = (char *)"/c" },
        };
        const MountList l = { m, ELEMENTSOF(m) };

        assert_ptr_equal(mount_list_resolve(&l, "/"), m + 0);
        assert_ptr_equal(mount_list_resolve(&l, "/a"), m + 1);
        assert_ptr_equal(mount_list_resolve(&l, "/a/b"), m + 3);
        assert_ptr_equal(mount_list_resolve(&l, "/ab"), m + 4);
        assert_null(mount_list_resolve(&l, "/a/b/c"));
        /* Hidden by what was mounted on /c later. */
        assert_null(mount_list_resolve(&l, "/c/d/e"));
        assert_null(mount_list_resolve(&(MountList){ 0 }, "/"));
}

static int in_own_namespace_chrooted(void *arg)
{
        int r;

        r = in_own_namespace(arg);
        if (r < 0)
                return r;
        return make_dir(SCRATCH "/jail") < 0 || chroot(SCRATCH "/jail") < 0 ? -errno : 0;
}

static void test_read_all(void **state)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        const Mount *m;
        Holder h, twin;
        ino_t ns;

        need_scratch();
        h = holder_start(in_own_namespace, NULL);
        ns = ns_of(h.pid);
        read_all_or_skip(&l);
        m = find_in_ns(&l, ns, SCRATCH "/theirs");
        assert_non_null(m);
        assert_int_equal(m->ns_pid, h.pid);
        assert_null(find_in_ns(&l, ns_of(getpid()), SCRATCH "/theirs"));
        assert_non_null(find_in_ns(&l, ns_of(getpid()), SCRATCH));
        /* No namespace is listed twice. Of one that vanished meanwhile, others may have the ids. */
        for (size_t i = 0; i < l.n; i++)
                for (size_t j = i + 1; j < l.n; j++)
                        assert_true(
                                l.items[i].ns != l.items[j].ns || l.items[i].id != l.items[j].id);
        holder_stop(&h);
        clean_theirs();
        twin = holder_start(in_own_namespace_chrooted, NULL);
        mount_list_done(&l);
        read_all_or_skip(&l);
        assert_non_null(find_in_ns(&l, ns_of(twin.pid), SCRATCH "/theirs"));
        holder_stop(&twin);
        clean_theirs();
}

static void test_any(void **state)
{
        struct stat st;
        Holder h;
        int r;

        need_scratch();
        assert_int_equal(stat(SCRATCH, &st), 0);
        r = mounts_any(st.st_dev);
        if (r == -EACCES)
                skip();
        assert_int_equal(r, 1);
        assert_int_equal(mounts_any(makedev(4095, 7)), 0);
        h = holder_start(in_own_namespace, NULL);
        r = mounts_any(place_of(h.pid, SCRATCH "/theirs").dev);
        assert_int_equal(r, 1);
        holder_stop(&h);
        clean_theirs();
}

static void test_umount(void **state)
{
        MountPlace p, other;

        need_scratch();
        mount_tmpfs(TARGET);
        p = place_of(getpid(), TARGET);
        p.ns = 0;
        assert_true(p.id != 0);
        other = p;
        other.id++;
        assert_int_equal(mounts_umount(&other, false, PATIENCE, -1), -ESTALE);
        other = p;
        other.dev = makedev(1, 1);
        assert_int_equal(mounts_umount(&other, false, PATIENCE, -1), -ESTALE);
        assert_true(place_of(getpid(), TARGET).id == p.id);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), 0);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), -ENOENT);
        assert_true(place_of(getpid(), TARGET).id == 0);
}

static void test_umount_what_is_hidden(void **state)
{
        MountPlace below, top;

        need_scratch();
        mount_tmpfs(TARGET);
        below = place_of(getpid(), TARGET);
        mount_tmpfs(TARGET);
        top = place_of(getpid(), TARGET);
        assert_true(top.id != below.id);
        assert_int_equal(mounts_umount(&below, false, PATIENCE, -1), -ESTALE);
        assert_int_equal(mounts_umount(&top, false, PATIENCE, -1), 0);
        assert_int_equal(mounts_umount(&below, false, PATIENCE, -1), 0);
}

static void test_umount_busy(void **state)
{
        _cleanup_(closep) int fd = -EBADF;
        MountPlace p;

        need_scratch();
        mount_tmpfs(TARGET);
        p = place_of(getpid(), TARGET);
        fd = open(TARGET, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), -EBUSY);
        assert_true(place_of(getpid(), TARGET).id == p.id);
        assert_int_equal(mounts_umount(&p, true, PATIENCE, -1), 0);
        assert_true(place_of(getpid(), TARGET).id == 0);
}

static void test_umount_elsewhere(void **state)
{
        MountPlace p, wrong;
        Holder h;
        int r;

        need_scratch();
        h = holder_start(in_own_namespace, NULL);
        p = place_of(h.pid, SCRATCH "/theirs");
        r = mounts_umount(&p, false, PATIENCE, -1);
        if (r == -EPERM)
                skip();
        assert_int_equal(r, 0);
        assert_true(place_of(h.pid, SCRATCH "/theirs").id == 0);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), -ENOENT);
        /* The inode decides and not the pid: this one is found through another process. */
        wrong = place_of(h.pid, SCRATCH);
        wrong.ns_pid = getpid();
        assert_int_equal(mounts_umount(&wrong, false, PATIENCE, -1), 0);
        assert_true(place_of(getpid(), SCRATCH).id != 0);
        holder_stop(&h);
        assert_int_equal(mounts_umount(&wrong, false, PATIENCE, -1), -ENOENT);
        clean_theirs();
}

static int place_loop(const MountPlace *p, const char *root, const char *vfs)
{
        return mounts_place(p, loop, root, "ext4", vfs, "rw", PATIENCE);
}

static void test_place(void **state)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        MountPlace p = { .target = TARGET };
        const Mount *m;
        struct stat st;
        int fd;

        fd = need_ext4();
        assert_int_equal(umount2(SCRATCH "/first", 0), 0);
        assert_int_equal(make_dir(TARGET), 0);
        assert_int_equal(fstat(fd, &st), 0);
        p.dev = st.st_rdev;
        assert_int_equal(place_loop(&p, "/sub dir", "ro,nosuid,nodev,noexec,noatime"), 0);
        assert_int_equal(place_loop(&p, "/sub dir", "ro,nosuid,nodev,noexec,noatime"), 0);
        assert_int_equal(access(TARGET "/file", R_OK), 0);
        assert_int_equal(mounts_read(0, &l), 0);
        m = find_target(&l, TARGET);
        assert_non_null(m);
        assert_string_equal(m->root, "/sub dir");
        assert_string_equal(m->vfs_options, "ro,nosuid,nodev,noexec,noatime");
        assert_true(m->dev == st.st_rdev);
        p = place_of(getpid(), TARGET);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), 0);
        assert_true(place_of(getpid(), TARGET).id == 0);
        /* Nothing else of it is left anywhere. */
        assert_true(mounts_any(p.dev) != 1);
        done_ext4(fd);
}

static void test_place_options(void **state)
{
        static const char *const options[] = { "rw,relatime", "rw", "ro,noatime,nodiratime",
                "rw,nosuid,nodev,noexec,nosymfollow,relatime" };
        int fd = need_ext4();

        assert_int_equal(umount2(SCRATCH "/first", 0), 0);
        assert_int_equal(make_dir(TARGET), 0);
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                _cleanup_(mount_list_done) MountList l = { 0 };
                MountPlace p = { .target = TARGET };
                const Mount *m;
                int r;

                r = place_loop(&p, "/", options[i]);
                assert_int_equal(r, 0);
                assert_int_equal(mounts_read(0, &l), 0);
                m = find_target(&l, TARGET);
                assert_non_null(m);
                for (const char *o = "ro\0nosuid\0nodev\0noexec\0nosymfollow\0relatime\0noatime\0";
                        *o; o += strlen(o) + 1)
                        assert_int_equal(!!strstr(m->vfs_options, o), !!strstr(options[i], o));
                assert_int_equal(umount2(TARGET, 0), 0);
        }
        assert_int_equal(
                place_loop(&(MountPlace){ .target = TARGET }, "/", "rw,idmapped"), -EOPNOTSUPP);
        done_ext4(fd);
}

static void test_place_refusals(void **state)
{
        MountPlace p = { .target = TARGET };
        int fd = need_ext4();

        assert_int_equal(umount2(SCRATCH "/first", 0), 0);
        assert_int_equal(make_dir(TARGET), 0);
        write_file(SCRATCH "/plain", "");
        assert_int_equal(symlink(TARGET, SCRATCH "/link"), 0);
        assert_int_equal(place_loop(&p, "/no such dir", "rw"), -ENOENT);
        p.target = SCRATCH "/missing";
        assert_int_equal(place_loop(&p, "/", "rw"), -ENOENT);
        p.target = SCRATCH "/plain";
        assert_int_equal(place_loop(&p, "/", "rw"), -ENOTDIR);
        p.target = SCRATCH "/link";
        assert_int_equal(place_loop(&p, "/", "rw"), -ELOOP);
        p.target = TARGET;
        assert_int_equal(place_loop(&p, "/sub dir/file", "rw"), -EISDIR);
        p.dev = makedev(7, 255);
        assert_int_equal(place_loop(&p, "/", "rw"), -ESTALE);
        p.dev = 0;
        assert_int_equal(
                mounts_place(&p, SCRATCH "/image", "/", "ext4", "rw", "rw", PATIENCE), -ENOTBLK);
        assert_int_equal(
                mounts_place(&p, loop, "/", "ext4", "rw", "rw,nosuchoption", PATIENCE), -EINVAL);
        assert_true(place_of(getpid(), TARGET).id == 0);
        assert_int_equal(unlink(SCRATCH "/plain"), 0);
        assert_int_equal(unlink(SCRATCH "/link"), 0);
        done_ext4(fd);
}

static void test_place_elsewhere(void **state)
{
        MountPlace p;
        Holder h;
        int fd = need_ext4();

        assert_int_equal(umount2(SCRATCH "/first", 0), 0);
        h = holder_start(in_own_namespace, NULL);
        p = (MountPlace){ .ns_pid = h.pid, .ns = ns_of(h.pid), .target = SCRATCH "/theirs" };
        assert_int_equal(place_loop(&p, "/sub dir", "rw,relatime"), 0);
        p = place_of(h.pid, SCRATCH "/theirs");
        assert_true(major(p.dev) != 0);
        assert_true(place_of(getpid(), SCRATCH "/theirs").id == 0);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), 0);
        holder_stop(&h);
        clean_theirs();
        done_ext4(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read_own),
                cmocka_unit_test(test_read_nobody),
                cmocka_unit_test(test_parents_come_first),
                cmocka_unit_test(test_resolve),
                cmocka_unit_test(test_read_all),
                cmocka_unit_test(test_any),
                cmocka_unit_test(test_umount),
                cmocka_unit_test(test_umount_what_is_hidden),
                cmocka_unit_test(test_umount_busy),
                cmocka_unit_test(test_umount_elsewhere),
                cmocka_unit_test(test_place),
                cmocka_unit_test(test_place_options),
                cmocka_unit_test(test_place_refusals),
                cmocka_unit_test(test_place_elsewhere),
        };

        return cmocka_run_group_tests(tests, group_setup, NULL);
}
