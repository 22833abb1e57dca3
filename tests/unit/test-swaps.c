/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "sys/path.h"
#include "sys/swaps.h"

#define HEAD "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

static void test_areas(void **state)
{
        _cleanup_(swap_list_done) SwapList l = { 0 };
        const SwapArea *a;

        assert_int_equal(
                swaps_parse(HEAD "/dev/pmem1p1                            partition\t409596"
                                 "\t\t1024\t\t7\n"
                                 "/mnt/with\\040blank\\134\\040(deleted) file 32764 0 -2\n",
                        &l),
                0);
        assert_int_equal(l.n, 2);
        a = swap_list_find(&l, "/dev/pmem1p1");
        assert_non_null(a);
        assert_false(a->file);
        assert_false(a->deleted);
        assert_true(a->size_kib == 409596 && a->used_kib == 1024);
        assert_int_equal(a->priority, 7);
        a = swap_list_find(&l, "/mnt/with blank\\");
        assert_non_null(a);
        assert_true(a->file);
        assert_true(a->deleted);
        assert_int_equal(a->priority, -2);
        assert_null(swap_list_find(&l, "/dev/pmem1"));
}

/* An area that is overlooked would be a use that nobody knows of. */
static void test_bad_areas(void **state)
{
        static const char *const bad[] = { HEAD "/a file 1\n", HEAD "/a file x 0 1\n",
                HEAD "/a file 1 -1 1\n", HEAD "/a file 1 0 x\n" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(swap_list_done) SwapList l = { 0 };

                assert_int_equal(swaps_parse(bad[i], &l), -EBADMSG);
        }
}

static void test_memory(void **state)
{
        MemoryFree m;

        assert_int_equal(memory_free_parse("MemTotal: 9 kB\nMemAvailable:   1234 kB\nX: 1 kB\n"
                                           "SwapFree:   56 kB\n",
                                 &m),
                0);
        assert_true(m.available_kib == 1234 && m.swap_kib == 56);
        assert_int_equal(memory_free_parse("MemTotal: 9 kB\nSwapFree: 56 kB\n", &m), -ENODATA);
        assert_int_equal(memory_free_read(&m), 0);
}

static void test_paths(void **state)
{
        static const char *const paths[] = { "/", "/nowhere/at/all", "/dev/null" };
        PathAnswer a[ELEMENTSOF(paths)];
        struct stat st;

        assert_int_equal(stat("/", &st), 0);
        assert_int_equal(paths_ask(paths, ELEMENTSOF(paths), 0, a), 0);
        assert_int_equal(a[0].err, 0);
        assert_true(S_ISDIR(a[0].mode) && a[0].dev == st.st_dev);
        assert_int_equal(a[1].err, -ENOENT);
        assert_int_equal(stat("/dev/null", &st), 0);
        assert_true(S_ISCHR(a[2].mode) && a[2].rdev == st.st_rdev);
        assert_int_equal(path_ask("/nowhere/at/all", a), -ENOENT);
        assert_int_equal(paths_ask(paths, 0, 0, a), 0);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_areas),
                cmocka_unit_test(test_bad_areas),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_paths),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
