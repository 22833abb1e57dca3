/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "sys/command.h"
#include "util/text.h"

#define PATIENCE (60 * USEC_PER_SEC)

typedef struct Heard {
        char first[COMMAND_LINE_MAX];
        char last[COMMAND_LINE_MAX];
        size_t n;
} Heard;

static void hear(const char *text, void *userdata)
{
        Heard *h = userdata;

        if (h->n++ == 0)
                (void)snprintf(h->first, sizeof(h->first), "%s", text);
        (void)snprintf(h->last, sizeof(h->last), "%s", text);
}

static char *const environment[] = { (char *)"PATH=/usr/bin:/bin", (char *)"GIVEN=here", NULL };

static int shell_within(
        const char *script, const char *input, Heard *h, uint64_t timeout_usec, int *ret_signal)
{
        char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };
        Command c = {
                .argv = argv,
                .envp = environment,
                .input = input,
                .timeout_usec = timeout_usec,
                .grace_usec = 200 * USEC_PER_MSEC,
                .cancel_fd = -EBADF,
                .line = hear,
                .userdata = h,
        };

        *h = (Heard){ 0 };
        return command_run(&c, ret_signal);
}

static int shell(const char *script, Heard *h)
{
        return shell_within(script, NULL, h, PATIENCE, NULL);
}

/* A process that sleeps for NUMBER seconds, which no other does; gone also means being a zombie
 * that init has not reaped yet. */
static bool sleeps(const char *number)
{
        char script[160];
        Heard h;

        (void)snprintf(script, sizeof(script),
                "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; done 2>/dev/null | "
                "grep -q '^sleep %s'",
                number);
        return shell(script, &h) == 0;
}

static void test_exit_status(void **state)
{
        Heard h;

        assert_int_equal(shell("exit 0", &h), 0);
        assert_int_equal(shell("exit 3", &h), 3);
        assert_int_equal(h.n, 0);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_signal(void **state)
{
        int sig = 0;
        Heard h;

        assert_int_equal(shell_within("kill -USR1 $$", NULL, &h, PATIENCE, &sig), -EOWNERDEAD);
        assert_int_equal(sig, SIGUSR1);
}

static void test_not_there(void **state)
{
        char *argv[] = { (char *)"/nonexistent/program", NULL };
        Command c = { .argv = argv, .envp = environment, .timeout_usec = PATIENCE };

        c.cancel_fd = -EBADF;
        assert_int_equal(command_run(&c, NULL), COMMAND_NOT_STARTED);
}

static void test_world_of_the_program(void **state)
{
        Heard h;

        /* A broken pipe has to kill, as everywhere. */
        (void)signal(SIGPIPE, SIG_IGN);
        assert_int_equal(shell("pwd; echo $GIVEN; "
                               "echo $((0x$(sed -n 's/^SigIgn:[[:blank:]]*//p' /proc/self/status)"
                               " & 1 << 12))",
                                 &h),
                0);
        assert_string_equal(h.first, "/");
        assert_string_equal(h.last, "0");
        assert_int_equal(h.n, 3);
}

static void test_input(void **state)
{
        Heard h;

        assert_int_equal(
                shell_within("cat; echo >&2 'and error'", "one\ntwo\n", &h, PATIENCE, NULL), 0);
        assert_int_equal(h.n, 3);
        assert_string_equal(h.first, "one");
        assert_string_equal(h.last, "and error");
}

static void test_lines(void **state)
{
        Heard h;

        assert_int_equal(shell("printf 'a\\tb\\033[1m\\n\\n\\nlast\\377'", &h), 0);
        assert_int_equal(h.n, 2);
        assert_string_equal(h.first, "a\\x09b\\x1b[1m");
        assert_string_equal(h.last, "last\\xff");
}

static void test_much_output(void **state)
{
        Heard h;

        assert_int_equal(shell("yes 0123456789 | head -n 100000; echo end", &h), 0);
        assert_int_equal(h.n, 100001);
        assert_string_equal(h.last, "end");
        assert_int_equal(shell("head -c 1000000 /dev/zero | tr '\\0' x", &h), 0);
        assert_int_equal(h.n, 1);
        assert_int_equal(strlen(h.last), COMMAND_LINE_MAX - 1);
}

static void test_time_limit(void **state)
{
        Heard h;

        assert_int_equal(shell_within("trap 'echo ending; exit 5' TERM; sleep 1000.1 & wait", NULL,
                                 &h, 300 * USEC_PER_MSEC, NULL),
                -ETIMEDOUT);
        assert_string_equal(h.last, "ending");
        assert_false(sleeps("1000.1"));
}

static void test_ignored_sigterm(void **state)
{
        Heard h;

        assert_int_equal(shell_within("trap '' TERM; sleep 1000.2; sleep 1000.2", NULL, &h,
                                 300 * USEC_PER_MSEC, NULL),
                -ETIMEDOUT);
        assert_false(sleeps("1000.2"));
}

static void test_grandchild_keeps_pipe(void **state)
{
        Heard h;

        assert_int_equal(shell("sleep 1000.3 & echo done", &h), 0);
        assert_string_equal(h.last, "done");
        assert_false(sleeps("1000.3"));
        /* Out of the group it is out of reach, and waited for by nobody. */
        assert_int_equal(
                shell("setsid sh -c 'sleep 3.4; echo late' & sleep 0.3; echo done", &h), 0);
        assert_string_equal(h.last, "done");
        assert_int_equal(h.n, 1);
}

static void test_cancel(void **state)
{
        int pair[2];
        char *argv[] = { (char *)"sleep", (char *)"1000.5", NULL };
        Command c = {
                .argv = argv, .envp = environment, .timeout_usec = PATIENCE, .grace_usec = PATIENCE
        };

        assert_int_equal(pipe(pair), 0);
        (void)close(pair[1]);
        c.cancel_fd = pair[0];
        assert_int_equal(command_run(&c, NULL), -ECANCELED);
        (void)close(pair[0]);
        assert_false(sleeps("1000.5"));
}

static bool not_meant(void *userdata)
{
        int *fd = userdata;
        char c;

        assert_int_equal(read(*fd, &c, 1), 1);
        return c == 'c';
}

/* A word that is no cancel is read and passed over. */
static void test_other_word(void **state)
{
        int pair[2];
        char *argv[] = { (char *)"sleep", (char *)"0.2", NULL };
        Command c = { .argv = argv,
                .envp = environment,
                .timeout_usec = PATIENCE,
                .cancelled = not_meant,
                .userdata = &pair[0] };

        assert_int_equal(pipe(pair), 0);
        c.cancel_fd = pair[0];
        assert_int_equal(write(pair[1], "p", 1), 1);
        assert_int_equal(command_run(&c, NULL), 0);
        assert_int_equal(write(pair[1], "pc", 2), 2);
        argv[1] = (char *)"1000.6";
        assert_int_equal(command_run(&c, NULL), -ECANCELED);
        (void)close(pair[0]);
        (void)close(pair[1]);
        assert_false(sleeps("1000.6"));
}

static void end_it(void *userdata)
{
        Heard *h = userdata;
        char *argv[] = { (char *)"touch", h->first, NULL };
        Command c = { .argv = argv, .envp = environment, .timeout_usec = PATIENCE };

        c.cancel_fd = -EBADF;
        assert_int_equal(command_run(&c, NULL), 0);
}

/* Whoever knows better how to end it does so, and what it says then is still heard. */
static void test_own_end(void **state)
{
        Heard h = { .first = "/tmp/test-command-XXXXXX", .n = 1 };
        char script[COMMAND_LINE_MAX + 64];
        char *argv[] = { (char *)"/bin/sh", (char *)"-c", script, NULL };
        Command c = {
                .argv = argv,
                .envp = environment,
                .timeout_usec = 100 * USEC_PER_MSEC,
                .grace_usec = PATIENCE,
                .cancel_fd = -EBADF,
                .line = hear,
                .end = end_it,
                .userdata = &h,
        };
        int fd = mkstemp(h.first);

        assert_true(fd >= 0);
        (void)close(fd);
        assert_int_equal(unlink(h.first), 0);
        (void)snprintf(script, sizeof(script),
                "until [ -e %s ]; do sleep 0.05; done; echo I was told", h.first);
        assert_int_equal(command_run(&c, NULL), -ETIMEDOUT);
        assert_string_equal(h.last, "I was told");
        assert_int_equal(unlink(h.first), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exit_status),
                cmocka_unit_test(test_signal),
                cmocka_unit_test(test_not_there),
                cmocka_unit_test(test_world_of_the_program),
                cmocka_unit_test(test_input),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_much_output),
                cmocka_unit_test(test_time_limit),
                cmocka_unit_test(test_ignored_sigterm),
                cmocka_unit_test(test_grandchild_keeps_pipe),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_other_word),
                cmocka_unit_test(test_own_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
