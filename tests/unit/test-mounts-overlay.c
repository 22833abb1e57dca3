/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be mounted again and what cannot: overlays, stacked and nested mounts, roots. */

#include "fixture-mounts.h"

#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "sys/mounts-internal.h"

#define MERGED SCRATCH "/merged"

/* As mount(2) wants them: names with a comma, a colon and a backslash. */
static const char options[] = "lowerdir=" SCRATCH "/lo\\,1:" SCRATCH "/lo\\:2,upperdir=" SCRATCH
                              "/up\\,3\\\\x,workdir=" SCRATCH "/work";

static void make_layers(void)
{
        static const char *const dirs[] = { SCRATCH "/lo,1", SCRATCH "/lo:2", SCRATCH "/up,3\\x",
                SCRATCH "/work", MERGED, TARGET };

        need_scratch();
        for (size_t i = 0; i < ELEMENTSOF(dirs); i++)
                assert_int_equal(make_dir(dirs[i]), 0);
        write_file(SCRATCH "/lo,1/one", "1");
        write_file(SCRATCH "/lo:2/two", "2");
}

static void mount_overlay(const char *data)
{
        make_layers();
        if (mount("overlay", MERGED, "overlay", 0, data) < 0)
                skip();
}

static Mount *take(MountList *l, const char *target)
{
        mount_list_done(l);
        assert_int_equal(mounts_read(0, l), 0);
        for (size_t i = l->n; i > 0; i--)
                if (streq(l->items[i - 1].target, target))
                        return l->items + i - 1;
        return NULL;
}

static int place_again(const Mount *m)
{
        MountPlace p = {
                .ns = m->ns,
                .ns_pid = m->ns_pid,
                .target = m->target,
                .propagation = m->propagation,
        };

        return mounts_place(
                &p, m->source, m->root, m->fstype, m->vfs_options, m->fs_options, PATIENCE);
}

static void assert_same(const Mount *a, const Mount *b)
{
        assert_non_null(b);
        assert_string_equal(a->root, b->root);
        assert_string_equal(a->fstype, b->fstype);
        assert_string_equal(a->source, b->source);
        assert_string_equal(a->vfs_options, b->vfs_options);
        assert_string_equal(a->fs_options, b->fs_options);
        assert_string_equal(a->propagation, b->propagation);
}

static void test_overlay(void **state)
{
        _cleanup_(mount_list_done) MountList before = { 0 }, after = { 0 };
        const Mount *m;

        mount_overlay(options);
        assert_int_equal(
                mount(NULL, MERGED, NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NOATIME, NULL), 0);
        m = take(&before, MERGED);
        assert_non_null(m);
        assert_int_equal(mounts_can_place(m), 0);
        assert_int_equal(umount2(MERGED, 0), 0);
        assert_int_equal(place_again(m), 0);
        assert_same(m, take(&after, MERGED));
        assert_int_equal(access(MERGED "/one", R_OK), 0);
        assert_int_equal(access(MERGED "/two", R_OK), 0);
        write_file(MERGED "/three", "3");
        assert_int_equal(access(SCRATCH "/up,3\\x/three", R_OK), 0);
        /* Again is the same, and nothing is stacked. */
        assert_int_equal(place_again(m), 0);
        assert_int_equal(umount2(MERGED, 0), 0);
        assert_null(take(&after, MERGED));
}

/* Two overlays over one upper layer would destroy it. */
static void test_overlay_bound(void **state)
{
        _cleanup_(mount_list_done) MountList before = { 0 }, after = { 0 };
        const Mount *m;

        mount_overlay(options);
        assert_int_equal(make_dir(MERGED "/dir"), 0);
        assert_int_equal(mount(MERGED "/dir", TARGET, NULL, MS_BIND, NULL), 0);
        m = take(&before, TARGET);
        assert_non_null(m);
        assert_string_equal(m->root, "/dir");
        assert_int_equal(mounts_can_place(m), 0);
        assert_int_equal(umount2(TARGET, 0), 0);
        assert_int_equal(place_again(m), 0);
        assert_same(m, take(&after, TARGET));
        assert_true(take(&after, TARGET)->dev == m->dev);
        assert_int_equal(umount2(TARGET, 0), 0);
        /* Also when it is the first of the two. */
        assert_int_equal(umount2(MERGED, 0), 0);
        assert_int_equal(place_again(m), 0);
        assert_same(m, take(&after, TARGET));
        assert_int_equal(umount2(TARGET, 0), 0);
}

static int can_place(const char *fs_options)
{
        Mount m = {
                .fstype = (char *)"overlay",
                .source = (char *)"overlay",
                .vfs_options = (char *)"rw,relatime",
                .fs_options = (char *)fs_options,
                .ns = ns_of(getpid()),
        };

        return mounts_can_place(&m);
}

static void test_overlay_refused(void **state)
{
        static const char *const refused[] = { "rw", "", "rw,lowerdir=l/AB:l/CD",
                "rw,lowerdir=" SCRATCH "/missing", "rw,lowerdir=/proc/self/fd/3",
                "rw,lowerdir=" SCRATCH "/lo,1", "rw,lowerdir=" SCRATCH "/lo:2",
                "rw,lowerdir=" SCRATCH ",volatile", "rw,lowerdir+=" SCRATCH,
                "rw,lowerdir=" SCRATCH ",fancy=on", "rw,seclabel,lowerdir=" SCRATCH };

        make_layers();
        assert_int_equal(
                can_place("rw,lowerdir=" SCRATCH "/lo\\,1::" SCRATCH ",redirect_dir=on"), 0);
        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                assert_int_equal(can_place(refused[i]), -EOPNOTSUPP);
}

static void test_overlay_elsewhere(void **state)
{
        Mount m = {
                .fstype = (char *)"overlay",
                .source = (char *)"overlay",
                .vfs_options = (char *)"rw,relatime",
                .fs_options = (char *)"rw,lowerdir=" SCRATCH,
                .root = (char *)"/",
                .target = (char *)SCRATCH "/theirs",
        };
        Holder h;

        need_scratch();
        h = holder_start(in_own_namespace, NULL);
        m.ns = ns_of(h.pid);
        assert_int_equal(mounts_can_place(&m), -EOPNOTSUPP);
        assert_int_equal(place_again(&m), -EOPNOTSUPP);
        holder_stop(&h);
        clean_theirs();
}

static void test_can_place_device(void **state)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        int fd = need_ext4();
        Mount m = *take(&l, SCRATCH "/first");

        assert_int_equal(mounts_can_place(&m), 0);
        m.vfs_options = (char *)"rw,idmapped";
        assert_int_equal(mounts_can_place(&m), -EOPNOTSUPP);
        m.vfs_options = (char *)"rw";
        m.dev = makedev(7, 255);
        assert_int_equal(mounts_can_place(&m), -EOPNOTSUPP);
        m.source = (char *)"/dev/root";
        assert_int_equal(mounts_can_place(&m), -EOPNOTSUPP);
        m.source = (char *)"tmpfs";
        assert_int_equal(mounts_can_place(&m), -EOPNOTSUPP);
        assert_int_equal(umount2(SCRATCH "/first", 0), 0);
        done_ext4(fd);
}

/* A chain of three, with two on the same point in the middle: only one order works, and the way
 * back is its reverse. */
static void test_levels(void **state)
{
        static const char *const points[] = { SCRATCH "/a", SCRATCH "/a/b", SCRATCH "/a/b",
                SCRATCH "/a/b/c" };
        MountPlace p[ELEMENTSOF(points)];

        need_scratch();
        for (size_t i = 0; i < ELEMENTSOF(points); i++) {
                _cleanup_(mount_list_done) MountList l = { 0 };
                const Mount *m;

                mount_tmpfs(points[i]);
                m = take(&l, points[i]);
                p[i] = (MountPlace){ .id = m->id, .dev = m->dev, .target = points[i] };
        }
        assert_int_equal(mounts_umount(p + 0, false, PATIENCE, -1), -EBUSY);
        assert_int_equal(mounts_umount(p + 1, false, PATIENCE, -1), -ESTALE);
        assert_int_equal(mounts_umount(p + 2, false, PATIENCE, -1), -EBUSY);
        for (size_t i = 0; i < ELEMENTSOF(points); i++)
                assert_int_equal(mounts_present(p + i), 1);
        assert_int_equal(mounts_umount(p + 3, false, PATIENCE, -1), 0);
        assert_int_equal(mounts_umount(p + 1, false, PATIENCE, -1), -ESTALE);
        assert_int_equal(mounts_umount(p + 2, false, PATIENCE, -1), 0);
        assert_int_equal(mounts_umount(p + 2, false, PATIENCE, -1), -ESTALE);
        assert_int_equal(mounts_umount(p + 0, false, PATIENCE, -1), -EBUSY);
        assert_int_equal(mounts_umount(p + 1, false, PATIENCE, -1), 0);
        assert_int_equal(mounts_umount(p + 0, false, PATIENCE, -1), 0);
        for (size_t i = 0; i < ELEMENTSOF(points); i++)
                assert_int_equal(mounts_present(p + i), 0);
}

/* A filesystem on a device, mounted below another one. */
static void test_nested_device(void **state)
{
        _cleanup_(mount_list_done) MountList before = { 0 }, after = { 0 };
        int fd = need_ext4();
        const Mount *m;

        mount_tmpfs(SCRATCH "/outer");
        assert_int_equal(mkdir(SCRATCH "/outer/inner", 0700), 0);
        assert_int_equal(mount(SCRATCH "/first", SCRATCH "/outer/inner", NULL, MS_MOVE, NULL), 0);
        assert_int_equal(mount(NULL, SCRATCH "/outer/inner", NULL, MS_SHARED, NULL), 0);
        m = take(&before, SCRATCH "/outer/inner");
        assert_int_equal(mounts_can_place(m), 0);
        assert_int_equal(umount2(SCRATCH "/outer/inner", 0), 0);
        assert_int_equal(place_again(m), 0);
        assert_same(m, take(&after, SCRATCH "/outer/inner"));
        assert_int_equal(access(SCRATCH "/outer/inner/sub dir/file", R_OK), 0);
        assert_int_equal(umount2(SCRATCH "/outer/inner", 0), 0);
        assert_int_equal(umount2(SCRATCH "/outer", 0), 0);
        done_ext4(fd);
}

static int in_own_root(void *arg)
{
        int r = in_own_namespace(arg);

        if (r < 0)
                return r;
        if (mkdir(SCRATCH "/theirs/old", 0700) < 0 || chdir(SCRATCH "/theirs") < 0 ||
                syscall(SYS_pivot_root, ".", "old") < 0 || chdir("/") < 0 ||
                umount2("/old", MNT_DETACH) < 0)
                return -errno;
        return 0;
}

/* The kernel answers 0 to whoever unmounts his own root, and makes it read-only for everybody. */
static void test_root_of_namespace(void **state)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        MountPlace p;
        Holder h;

        need_scratch();
        h = holder_start(in_own_root, NULL);
        p = place_of(h.pid, "/");
        assert_true(p.id != 0);
        assert_int_equal(mounts_umount(&p, false, PATIENCE, -1), -EBUSY);
        assert_int_equal(mounts_busy(&p), 1);
        assert_int_equal(mounts_read(h.pid, &l), 0);
        assert_int_equal(strncmp(find_target(&l, "/")->fs_options, "rw", 2), 0);
        holder_stop(&h);
        clean_theirs();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_overlay),
                cmocka_unit_test(test_overlay_bound),
                cmocka_unit_test(test_overlay_refused),
                cmocka_unit_test(test_overlay_elsewhere),
                cmocka_unit_test(test_can_place_device),
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_nested_device),
                cmocka_unit_test(test_root_of_namespace),
        };

        return cmocka_run_group_tests(tests, group_setup, NULL);
}
