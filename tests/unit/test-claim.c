/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is held in the name of a disk: let go when it cannot be kept, because a claim that nobody
 * knows of makes the memory busy for the way back. Opening is made up, the rest is real. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "run-internal.h"
#include "step/claim.h"
#include "sys/claim.h"
#include "util/text.h"

static int claimed_fd = -EBADF;
static bool no_memory;

int __wrap_claim_open(const char *devnode, dev_t dev);
int __wrap_claim_open(const char *devnode, dev_t dev)
{
        return claimed_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__wrap_strdup(const char *s)
{
        return no_memory ? NULL : __real_strdup(s);
}

static void test_kept_until_reverted(void **state)
{
        Failure f = { 0 };
        Run run = { .socket_fd = -EBADF };

        assert_int_equal(claim_disk(&run, "pmem0", 0, NULL, &f), 0);
        assert_int_equal(run_held(&run, "claim", "pmem0")->fd, claimed_fd);
        assert_true(fcntl(claimed_fd, F_GETFD) >= 0);
        run_let_go(&run);
        assert_true(fcntl(claimed_fd, F_GETFD) < 0);
}

static void test_not_kept_is_let_go(void **state)
{
        Failure f = { 0 };
        Run run = { .socket_fd = -EBADF };

        no_memory = true;
        assert_int_equal(claim_disk(&run, "pmem0", 0, NULL, &f), -ENOMEM);
        no_memory = false;
        assert_null(run_held(&run, "claim", "pmem0"));
        assert_true(fcntl(claimed_fd, F_GETFD) < 0);
        run_let_go(&run);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kept_until_reverted),
                cmocka_unit_test(test_not_kept_is_let_go),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
