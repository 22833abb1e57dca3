/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's stack as one line for people. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker-blocked.h"

static void test_stack(void **state)
{
        char buf[128];

        worker_stack_compact("[<0>] percpu_rwsem_wait+0x1/0x2\n[<0>] freeze_super+0xa0/0x1f0\n",
                buf, sizeof(buf));
        assert_string_equal(buf, "percpu_rwsem_wait < freeze_super");
        worker_stack_compact("[<0>] in_module+0x1/0x2 [xfs]\n", buf, sizeof(buf));
        assert_string_equal(buf, "in_module");
        worker_stack_compact("bare", buf, sizeof(buf));
        assert_string_equal(buf, "bare");
        worker_stack_compact("", buf, sizeof(buf));
        assert_string_equal(buf, "");
        worker_stack_compact("\n\n[<0>] \n", buf, sizeof(buf));
        assert_string_equal(buf, "");
}

/* As long as it gets, it stays a string. */
static void test_short_buffer(void **state)
{
        char buf[8];

        worker_stack_compact("[<0>] aaaaaa+0x1\n[<0>] bbbbbb+0x1\n[<0>] c+0x1\n", buf, sizeof(buf));
        assert_int_equal(strlen(buf), 7);
}

static void test_alive(void **state)
{
        char buf[64];

        /* We run, so we do not sleep. */
        assert_false(worker_blocked_text(getpid(), buf, sizeof(buf)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stack),
                cmocka_unit_test(test_short_buffer),
                cmocka_unit_test(test_alive),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
