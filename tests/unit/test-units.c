/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/units.h"

/* As systemd-escape --path --suffix=mount says it. */
static void test_names(void **state)
{
        static const struct {
                const char *path, *unit;
        } rows[] = {
                { "/", "-.mount" },
                { "/mnt/pmem", "mnt-pmem.mount" },
                { "//mnt//pmem/", "mnt-pmem.mount" },
                { "/mnt/a-b", "mnt-a\\x2db.mount" },
                { "/.hidden/.too", "\\x2ehidden-.too.mount" },
                { "/srv/a b:c_d", "srv-a\\x20b:c_d.mount" },
                { "/\xc3\xa4", "\\xc3\\xa4.mount" },
        };
        char buf[UNIT_NAME_MAX];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(unit_name_of_path(rows[i].path, "mount", buf), 0);
                assert_string_equal(buf, rows[i].unit);
        }
}

static void test_no_name(void **state)
{
        char path[UNIT_NAME_MAX], buf[UNIT_NAME_MAX];

        assert_int_equal(unit_name_of_path("mnt", "mount", buf), -EINVAL);
        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        assert_int_equal(unit_name_of_path(path, "mount", buf), -ENAMETOOLONG);
        path[UNIT_NAME_MAX - strlen(".mount")] = '\0';
        assert_int_equal(unit_name_of_path(path, "mount", buf), 0);
        assert_int_equal(strlen(buf), UNIT_NAME_MAX - 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_no_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
