/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "sys/child.h"

#define PATIENCE (30 * USEC_PER_SEC)

static int return_value(void *arg)
{
        return *(int *)arg;
}

static int sleep_for_ever(void *arg)
{
        for (;;)
                (void)pause();
        return 0;
}

static int kill_self(void *arg)
{
        (void)kill(getpid(), SIGKILL);
        return 0;
}

static void test_result(void **state)
{
        static const struct {
                int returned, expected;
        } cases[] = { { 0, 0 }, { -EBUSY, -EBUSY }, { -255, -255 }, { 7, 0 }, { -524, -EIO } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int value = cases[i].returned;

                assert_int_equal(child_call(return_value, &value, PATIENCE, -1), cases[i].expected);
        }
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

static void test_killed(void **state)
{
        assert_int_equal(child_call(kill_self, NULL, PATIENCE, -1), -EOWNERDEAD);
}

static void test_timeout(void **state)
{
        Child c = CHILD_INIT;

        assert_int_equal(child_start(&c, true, sleep_for_ever, NULL), 0);
        assert_int_equal(child_wait(&c, 0, -1), -ETIMEDOUT);
        assert_int_equal(child_wait(&c, now_usec() + 1000, -1), -ETIMEDOUT);
        /* It was left running. */
        assert_true(c.pid > 0);
        assert_int_equal(kill(c.pid, SIGKILL), 0);
        assert_int_equal(child_wait(&c, now_usec() + PATIENCE, -1), -EOWNERDEAD);
        assert_int_equal(child_wait(&c, 0, -1), -ECHILD);
        child_done(&c);
        child_done(&c);
}

static void test_cancel(void **state)
{
        Child c = CHILD_INIT;
        int fds[2], zero = 0;

        assert_int_equal(pipe(fds), 0);
        assert_int_equal(write(fds[1], "x", 1), 1);
        assert_int_equal(child_start(&c, true, sleep_for_ever, NULL), 0);
        assert_int_equal(child_wait(&c, USEC_INFINITY, fds[0]), -ECANCELED);
        child_done(&c);
        assert_int_equal(c.pidfd, -EBADF);
        /* A result that is there is told before the cancellation. */
        assert_int_equal(child_start(&c, true, return_value, &zero), 0);
        assert_int_equal(poll(&(struct pollfd){ .fd = c.pidfd, .events = POLLIN }, 1, -1), 1);
        assert_int_equal(child_wait(&c, 0, fds[0]), 0);
        close(fds[0]);
        close(fds[1]);
}

static int start_sleeper(int report_fd, bool die_with_parent)
{
        Child c = CHILD_INIT;

        if (child_start(&c, die_with_parent, sleep_for_ever, NULL) < 0)
                return EXIT_FAILURE;
        return write(report_fd, &c.pid, sizeof(c.pid)) == sizeof(c.pid) ? 0 : EXIT_FAILURE;
}

/* The sleeper holds the pipe open for as long as it lives: end of file means that it is gone. */
static void test_death_of_parent(void **state)
{
        for (int die = 0; die <= 1; die++) {
                struct pollfd p;
                int fds[2], status;
                pid_t pid, sleeper;

                assert_int_equal(pipe(fds), 0);
                pid = fork();
                assert_true(pid >= 0);
                if (pid == 0)
                        _exit(start_sleeper(fds[1], die));
                close(fds[1]);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
                assert_int_equal(read(fds[0], &sleeper, sizeof(sleeper)), sizeof(sleeper));
                p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
                if (!die) {
                        assert_int_equal(poll(&p, 1, 100), 0);
                        assert_int_equal(kill(sleeper, SIGKILL), 0);
                }
                assert_int_equal(poll(&p, 1, 30000), 1);
                assert_int_equal(read(fds[0], &sleeper, 1), 0);
                close(fds[0]);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_result),
                cmocka_unit_test(test_killed),
                cmocka_unit_test(test_timeout),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_death_of_parent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
