/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Paths below /dev as anybody may name them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/path.h"

static void test_below_dev(void **state)
{
        char buf[64], small[4];

        assert_int_equal(path_below_dev("/dev/null", buf, sizeof(buf)), 0);
        assert_string_equal(buf, "/dev/null");
        assert_int_equal(path_below_dev("/dev/./null", buf, sizeof(buf)), 0);
        assert_string_equal(buf, "/dev/null");
        assert_int_equal(path_below_dev("/dev/no/such", buf, sizeof(buf)), -ENOENT);
        assert_int_equal(path_below_dev("/etc/passwd", buf, sizeof(buf)), -EINVAL);
        assert_int_equal(path_below_dev("/dev/null", small, sizeof(small)), -ENAMETOOLONG);
}

/* What is there may be a server that does not answer, and the daemon's loop would wait for it. */
static void test_never_leaves(void **state)
{
        char buf[64];

        assert_int_equal(path_below_dev("/dev/../etc/passwd", buf, sizeof(buf)), -EXDEV);
        assert_int_equal(path_below_dev("/dev/fd/0", buf, sizeof(buf)), -EXDEV);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_below_dev),
                cmocka_unit_test(test_never_leaves),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
