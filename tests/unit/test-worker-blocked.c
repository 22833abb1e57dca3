/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a process sleeps in the kernel. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "worker-blocked.h"

static void test_alive(void **state)
{
        char buf[64];

        /* We run, so we do not sleep. */
        assert_false(worker_blocked_text(getpid(), buf, sizeof(buf)));
}

/* Somebody stopped has our file open under our number; with another file there he is nobody. */
static void test_holder(void **state)
{
        int fd = memfd_create("one", 0), other = memfd_create("two", 0), status;
        pid_t pid = fork();
        char buf[64] = "";

        assert_true(pid >= 0 && fd >= 0 && other >= 0);
        if (pid == 0) {
                (void)raise(SIGSTOP);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(worker_blocked_holder(fd, buf, sizeof(buf)));
        assert_non_null(strstr(buf, "stopped"));
        assert_int_equal(dup2(other, fd), fd);
        assert_false(worker_blocked_holder(fd, buf, sizeof(buf)));
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        (void)close(fd);
        (void)close(other);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alive),
                cmocka_unit_test(test_holder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
