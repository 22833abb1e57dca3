/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <cmocka.h>

#include "sys/bind.h"
#include "sys/claim.h"
#include "sys/sysfs.h"

static char dir[] = "/tmp/test-sysfs-XXXXXX";

static void put(const char *name, const char *text)
{
        _cleanup_(freep) char *path = string_printf("%s/%s", dir, name);
        _cleanup_(fclosep) FILE *f = fopen(path, "we");

        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
}

static void drop(const char *name)
{
        _cleanup_(freep) char *path = string_printf("%s/%s", dir, name);

        assert_int_equal(unlink(path), 0);
}

static void test_read(void **state)
{
        char buf[8];
        uint64_t v = 0;

        put("a", "1234567\n");
        assert_int_equal(sysfs_read(dir, "a", buf, sizeof(buf)), -ENOBUFS);
        put("a", "123456\n");
        assert_int_equal(sysfs_read(dir, "a", buf, sizeof(buf)), 0);
        assert_string_equal(buf, "123456");
        assert_int_equal(sysfs_read_u64(dir, "a", &v), 0);
        assert_true(v == 123456);
        put("a", "");
        assert_int_equal(sysfs_read(dir, "a", buf, sizeof(buf)), 0);
        assert_string_equal(buf, "");
        assert_int_equal(sysfs_read_u64(dir, "a", &v), -EINVAL);
        put("a", "x\n\n");
        assert_int_equal(sysfs_read(dir, "a", buf, sizeof(buf)), 0);
        assert_string_equal(buf, "x\n");
        drop("a");
        assert_int_equal(sysfs_read(dir, "a", buf, sizeof(buf)), -ENOENT);
}

static void test_devnum(void **state)
{
        dev_t dev = 0;

        put("dev", "259:3\n");
        assert_int_equal(sysfs_devnum(dir, &dev), 0);
        assert_true(dev == makedev(259, 3));
        put("dev", "259\n");
        assert_int_equal(sysfs_devnum(dir, &dev), -EINVAL);
        drop("dev");
}

static void test_link(void **state)
{
        _cleanup_(freep) char *link = string_printf("%s/driver", dir);
        char buf[8];

        assert_int_equal(sysfs_link_name(dir, "driver", buf, sizeof(buf)), -ENOENT);
        assert_int_equal(symlink("../../bus/nd/drivers/nd_pmem", link), 0);
        assert_int_equal(sysfs_link_name(dir, "driver", buf, sizeof(buf)), 0);
        assert_string_equal(buf, "nd_pmem");
        assert_int_equal(sysfs_link_name(dir, "driver", buf, 7), -ENOBUFS);
        drop("driver");
}

static void test_write(void **state)
{
        _cleanup_(freep) char *path = string_printf("%s/w", dir);
        char buf[16];

        assert_int_equal(sysfs_write(path, "x"), -ENOENT);
        put("w", "");
        assert_int_equal(sysfs_write(path, "pfn0.0"), 0);
        assert_int_equal(sysfs_read(dir, "w", buf, sizeof(buf)), 0);
        assert_string_equal(buf, "pfn0.0");
        drop("w");
}

static void test_list(void **state)
{
        _cleanup_(strv_freep) char **names = NULL, **empty = NULL;

        assert_int_equal(sysfs_list(dir, &empty), 0);
        assert_int_equal(strv_length(empty), 0);
        put("nmem10", "");
        put("nmem2", "");
        put(".hidden", "");
        assert_int_equal(sysfs_list(dir, &names), 0);
        assert_int_equal(strv_length(names), 2);
        assert_string_equal(names[0], "nmem2");
        assert_string_equal(names[1], "nmem10");
        drop("nmem10");
        drop("nmem2");
        drop(".hidden");
        assert_int_equal(sysfs_list("/nonexistent", &(char **){ NULL }), -ENOENT);
}

/* No name may lead out of /sys/bus/nd, and what is not there is not bound. */
static void test_bind_names(void **state)
{
        static const char *const bad[] = { "", ".", "..", "../x", "a/b", "a\n" };
        char buf[32];

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                assert_int_equal(bind_detach(bad[i], "pfn0.0"), -EINVAL);
                assert_int_equal(bind_detach("nd_pmem", bad[i]), -EINVAL);
                assert_int_equal(bind_attach("nd_pmem", bad[i]), -EINVAL);
                assert_int_equal(bind_driver(bad[i], buf, sizeof(buf)), -EINVAL);
        }
        assert_int_equal(bind_detach("no-such-driver", "no-such-device"), -ENODEV);
        assert_int_equal(bind_attach("no-such-driver", "no-such-device"), -ENODEV);
        assert_int_equal(bind_driver("no-such-device", buf, sizeof(buf)), -ENOENT);
}

/* A name that is not the block device it was is another device. */
static void test_claim_identity(void **state)
{
        struct stat st;

        assert_int_equal(stat("/dev/null", &st), 0);
        assert_int_equal(claim_open("/dev/null", st.st_rdev), -ESTALE);
        assert_int_equal(claim_open(dir, makedev(259, 0)), -ESTALE);
        assert_int_equal(claim_open("/dev/no-such-device", makedev(259, 0)), -ENOENT);
}

static int setup(void **state)
{
        return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
        return rmdir(dir);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_devnum),
                cmocka_unit_test(test_link),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_bind_names),
                cmocka_unit_test(test_claim_identity),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
