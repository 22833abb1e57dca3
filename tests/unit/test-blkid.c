/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

#include "sys/blkid.h"

static bool have_scratch;

static void need_image(const char *const *argv)
{
        if (!have_scratch || truncate(SCRATCH "/image", 0) < 0 ||
                truncate(SCRATCH "/image", (off_t)320 << 20) < 0 || run_quietly(argv) < 0)
                skip();
}

static void test_ext4(void **state)
{
        const char *argv[] = { "mkfs.ext4", "-q", "-L", "pool", "-U",
                "6f0c1d5a-7b1e-4a55-9a52-0c4b7f2d9e11", SCRATCH "/image", NULL };
        BlkidInfo info;

        need_image(argv);
        assert_int_equal(blkid_read(SCRATCH "/image", &info), 0);
        assert_string_equal(info.type, "ext4");
        assert_string_equal(info.usage, "filesystem");
        assert_string_equal(info.uuid, "6f0c1d5a-7b1e-4a55-9a52-0c4b7f2d9e11");
        assert_string_equal(info.label, "pool");
}

static void test_xfs_without_label(void **state)
{
        const char *argv[] = { "mkfs.xfs", "-q", "-f", SCRATCH "/image", NULL };
        BlkidInfo info;

        need_image(argv);
        assert_int_equal(blkid_read(SCRATCH "/image", &info), 0);
        assert_string_equal(info.type, "xfs");
        assert_string_equal(info.label, "");
        assert_int_equal(strlen(info.uuid), 36);
}

static void test_swap(void **state)
{
        const char *argv[] = { "mkswap", SCRATCH "/image", NULL };
        BlkidInfo info;

        need_image(argv);
        assert_int_equal(blkid_read(SCRATCH "/image", &info), 0);
        assert_string_equal(info.type, "swap");
        assert_string_equal(info.usage, "other");
}

static void test_nothing(void **state)
{
        const char *argv[] = { "true", NULL };
        BlkidInfo info;

        need_image(argv);
        assert_int_equal(blkid_read(SCRATCH "/image", &info), -ENODATA);
}

/* ext4 leaves the first kilobyte alone, and that is where XFS keeps its superblock. */
static void test_two_signatures(void **state)
{
        const char *xfs[] = { "mkfs.xfs", "-q", "-f", SCRATCH "/image", NULL };
        const char *ext4[] = { "mkfs.ext4", "-q", SCRATCH "/image", NULL };
        _cleanup_(closep) int fd = -EBADF;
        char superblock[512];
        BlkidInfo info;

        need_image(xfs);
        fd = open(SCRATCH "/image", O_RDWR | O_CLOEXEC);
        assert_int_equal(pread(fd, superblock, sizeof(superblock), 0), sizeof(superblock));
        need_image(ext4);
        assert_int_equal(pwrite(fd, superblock, sizeof(superblock), 0), sizeof(superblock));
        assert_int_equal(blkid_read(SCRATCH "/image", &info), -ENOTUNIQ);
}

static void test_no_device(void **state)
{
        BlkidInfo info;

        assert_int_equal(blkid_read("/dev/null", &info), -ENOTBLK);
        assert_int_equal(blkid_read("/nonexistent", &info), -ENOENT);
}

/* A disk behind which nobody is any more. */
static void test_no_answer(void **state)
{
        BlkidInfo info;
        int fd = have_scratch && mkdir(SCRATCH "/dead", 0700) == 0
                         ? mount_fuse(SCRATCH "/dead", "40000")
                         : -ENOENT;

        if (fd < 0)
                skip();
        (void)alarm(60);
        assert_int_equal(blkid_ask(SCRATCH "/dead/disk", &info), -ETIMEDOUT);
        (void)alarm(0);
        (void)close(fd);
        assert_int_equal(blkid_ask("/dev/null", &info), -ENOTBLK);
}

static int group_setup(void **state)
{
        have_scratch = private_scratch() >= 0;
        if (have_scratch)
                write_file(SCRATCH "/image", "");
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ext4),
                cmocka_unit_test(test_xfs_without_label),
                cmocka_unit_test(test_swap),
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_two_signatures),
                cmocka_unit_test(test_no_device),
                cmocka_unit_test(test_no_answer),
        };

        return cmocka_run_group_tests(tests, group_setup, NULL);
}
