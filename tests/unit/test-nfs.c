/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/nfs.h"

static void test_parse(void **state)
{
        _cleanup_(nfs_export_list_done) NfsExportList l = { 0 };
        const NfsExport other = { .path = (char *)"/mnt", .client = (char *)"10.0.0.0/9" };

        assert_int_equal(
                nfs_exports_parse("/mnt", "*(rw,sec=sys) @lab(ro) 10.0.0.0/8(ro) fd00::/8(rw)", &l),
                0);
        assert_int_equal(l.n, 4);
        assert_string_equal(l.items[0].client, "*");
        assert_string_equal(l.items[0].options, "rw,sec=sys");
        assert_string_equal(l.items[1].client, "@lab");
        assert_string_equal(l.items[2].options, "ro");
        assert_string_equal(l.items[3].client, "fd00::/8");
        assert_string_equal(l.items[3].path, "/mnt");
        for (size_t i = 0; i < l.n; i++)
                assert_true(nfs_exports_have(&l, l.items + i));
        assert_false(nfs_exports_have(&l, &other));
}

static void test_garbage(void **state)
{
        static const char *const garbage[] = { "*", "(rw)", "*(rw", "*rw)", "*(rw) b", "a)(b",
                "*(rw)x" };

        for (size_t i = 0; i < ELEMENTSOF(garbage); i++) {
                _cleanup_(nfs_export_list_done) NfsExportList l = { 0 };

                assert_int_equal(nfs_exports_parse("/mnt", garbage[i], &l), -EINVAL);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_garbage),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
