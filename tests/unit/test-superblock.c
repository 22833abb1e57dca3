/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filesystems that live on without a mount, on a loop device in the place of a disk. */

#include "fixture-mounts.h"

#include <linux/fs.h>

#include "sys/superblock.h"

static int is_ghost(void)
{
        Superblock sb = { 0 };
        int r = superblock_find_ghost(loop + strlen("/dev/"), &sb);

        if (r == -EACCES)
                skip();
        if (r > 0) {
                assert_string_equal(sb.type, "ext4");
                assert_string_equal(sb.device, loop + strlen("/dev/"));
        }
        return r;
}

static int is_alive(void)
{
        Superblock sb;

        return superblock_find(loop + strlen("/dev/"), &sb);
}

/* Goes when its last user has gone, a moment later. */
static void assert_dies(void)
{
        for (int i = 0; i < 500 && is_alive() > 0; i++)
                (void)usleep(10000);
        assert_int_equal(is_alive(), 0);
        assert_int_equal(is_ghost(), 0);
}

static void test_lazily_unmounted(void **state)
{
        int loop_fd = need_ext4(), fd;

        assert_int_equal(is_alive(), 1);
        assert_int_equal(is_ghost(), 0);
        fd = open(SCRATCH "/first", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(umount2(SCRATCH "/first", MNT_DETACH), 0);
        assert_int_equal(is_ghost(), 1);
        (void)close(fd);
        assert_dies();
        done_ext4(loop_fd);
}

static void test_unmounted_while_frozen(void **state)
{
        int loop_fd = need_ext4(), fd;

        fd = open(SCRATCH "/first", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(ioctl(fd, FIFREEZE, 0), 0);
        (void)close(fd);
        assert_int_equal(umount2(SCRATCH "/first", 0), 0);
        assert_int_equal(is_ghost(), 1);
        /* The way back that is recommended. */
        assert_int_equal(mount(loop, SCRATCH "/first", "ext4", 0, NULL), 0);
        assert_int_equal(is_ghost(), 0);
        fd = open(SCRATCH "/first", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(ioctl(fd, FITHAW, 0), 0);
        (void)close(fd);
        assert_int_equal(umount2(SCRATCH "/first", 0), 0);
        assert_dies();
        done_ext4(loop_fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lazily_unmounted),
                cmocka_unit_test(test_unmounted_while_frozen),
        };

        return cmocka_run_group_tests(tests, group_setup, NULL);
}
