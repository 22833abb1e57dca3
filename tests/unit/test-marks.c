/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/sysmacros.h>

#include "sys/marks.h"

static void test_parse(void **state)
{
        FanotifyMark m;

        assert_true(fanotify_parse("fanotify sdev:10300001 mflags:0 mask:20 ignored_mask:0", &m));
        assert_int_equal(m.dev, makedev(259, 1));
        assert_int_equal(m.mount_id, 0);
        assert_true(fanotify_parse("fanotify mnt_id:5a mflags:40 mask:2 ignored_mask:0", &m));
        assert_int_equal(m.dev, 0);
        assert_int_equal(m.mount_id, 0x5a);
        assert_true(fanotify_parse("fanotify ino:80 sdev:800002 mflags:0 mask:2 ignored_mask:0 "
                                   "fhandle-bytes:8 fhandle-type:1 f_handle:00",
                &m));
        assert_int_equal(m.dev, makedev(8, 2));
        assert_int_equal(m.mount_id, 0);
}

static void test_others(void **state)
{
        static const char *const lines[] = { "", "pos:	0", "fanotify flags:0 event-flags:8000",
                "inotify wd:1 ino:80 sdev:800002 mask:2", "fanotify sdev:", "fanotify mnt_id:x" };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                FanotifyMark m;

                assert_false(fanotify_parse(lines[i], &m));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_others),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
