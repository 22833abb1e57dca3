/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a process sleeps in the kernel. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker-blocked.h"

static void test_alive(void **state)
{
        char buf[64];

        /* We run, so we do not sleep. */
        assert_false(worker_blocked_text(getpid(), buf, sizeof(buf)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alive),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
