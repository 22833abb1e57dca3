/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "sys/xfs.h"
#include "util/text.h"

static void test_other_filesystem(void **state)
{
        _cleanup_(closep) int fd = memfd_create("test-xfs", MFD_CLOEXEC);
        uint64_t pages = 7;
        XfsInfo info;

        assert_true(fd >= 0);
        assert_int_equal(xfs_info(fd, &info), -ENOTTY);
        assert_int_equal(xfs_cached_pages(fd, "pmem0", USEC_INFINITY, &pages), -ENOTTY);
        assert_true(pages == 7);
}

static void test_largest(void **state)
{
        static XfsSizes s;

        assert_true(xfs_sizes_largest(&s, 5) == 0);
        for (uint64_t pages = 0; pages <= 10; pages++)
                xfs_sizes_add(&s, pages);
        assert_true(xfs_sizes_largest(&s, 0) == 0);
        assert_true(xfs_sizes_largest(&s, 1) == 10);
        assert_true(xfs_sizes_largest(&s, 3) == 10 + 9 + 8);
        assert_true(xfs_sizes_largest(&s, 11) == 55);
        assert_true(xfs_sizes_largest(&s, UINT64_MAX) == 55);
}

/* The bound holds for every size, and is no more than a sixteenth too high. */
static void test_bound(void **state)
{
        for (uint64_t pages = 1; pages < UINT64_MAX / 3; pages = pages * 3 + 1) {
                _cleanup_(freep) XfsSizes *s = calloc(1, sizeof(XfsSizes));
                uint64_t bound;

                assert_non_null(s);
                xfs_sizes_add(s, pages);
                xfs_sizes_add(s, pages);
                bound = xfs_sizes_largest(s, 1);
                assert_true(bound >= pages);
                assert_true(bound - pages <= pages / 16);
                assert_true(xfs_sizes_largest(s, 2) == 2 * pages || pages > UINT64_MAX / 2);
        }
}

static void test_overflow(void **state)
{
        static XfsSizes s;

        xfs_sizes_add(&s, UINT64_MAX);
        xfs_sizes_add(&s, UINT64_MAX);
        assert_true(xfs_sizes_largest(&s, 1) == UINT64_MAX);
        assert_true(xfs_sizes_largest(&s, 2) == UINT64_MAX);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_other_filesystem),
                cmocka_unit_test(test_largest),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_overflow),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
