/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "sys/pidfd.h"
#include "sys/proc.h"

static pid_t start_sleeper(void)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                for (;;)
                        (void)pause();
        return pid;
}

static void test_identity(void **state)
{
        pid_t pid = start_sleeper();
        uint64_t start = 0;
        int fd;

        assert_int_equal(proc_start_time(pid, &start), 0);
        assert_int_equal(pidfd_open_checked(pid, start + 1), -ESRCH);
        fd = pidfd_open_checked(pid, start);
        assert_true(fd >= 0);
        assert_int_equal(pidfd_exited(fd), 0);
        assert_int_equal(pidfd_signal(fd, 0), 0);
        assert_int_equal(pidfd_signal(fd, SIGKILL), 0);
        assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1), 1);
        /* A zombie holds nothing any more. */
        assert_int_equal(pidfd_exited(fd), 1);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(pidfd_exited(fd), 1);
        assert_int_equal(pidfd_signal(fd, SIGTERM), -ESRCH);
        assert_int_equal(pidfd_open_checked(pid, start), -ESRCH);
        close(fd);
}

static void test_bad_descriptor(void **state)
{
        assert_int_equal(pidfd_exited(1000000), -EBADF);
        assert_int_equal(pidfd_signal(-1, 0), -EBADF);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_identity),
                cmocka_unit_test(test_bad_descriptor),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
