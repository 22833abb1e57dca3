/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "util/log.h"
#include "util/text.h"

static char path[] = "/tmp/test-log-XXXXXX";
static int real_stderr = -EBADF;

/* What went to stderr since the last call. */
static char *written(void)
{
        char *text = NULL;

        assert_int_equal(read_full_file(path, 65536, &text, NULL), 0);
        assert_int_equal(ftruncate(STDERR_FILENO, 0), 0);
        assert_true(lseek(STDERR_FILENO, 0, SEEK_SET) == 0);
        return text;
}

static void assert_written(const char *expected)
{
        _cleanup_(freep) char *text = written();

        assert_string_equal(text, expected);
}

static void test_levels(void **state)
{
        assert_int_equal(log_level_from_string("debug"), LOG_DEBUG);
        assert_int_equal(log_level_from_string("err"), LOG_ERR);
        assert_int_equal(log_level_from_string("7"), LOG_DEBUG);
        assert_int_equal(log_level_from_string("8"), -EINVAL);
        assert_int_equal(log_level_from_string(""), -EINVAL);
        assert_int_equal(log_level_from_string("verbose"), -EINVAL);
        for (int level = LOG_EMERG; level <= LOG_DEBUG; level++)
                assert_int_equal(log_level_from_string(log_level_to_string(level)), level);
        assert_string_equal(log_level_to_string(-1), "unknown");
        assert_string_equal(log_level_to_string(8), "unknown");
}

static void test_targets(void **state)
{
        assert_string_equal(log_get_target(), "auto");
        assert_int_equal(log_set_target("syslog"), -EINVAL);
        assert_int_equal(log_set_target("null"), 0);
        assert_string_equal(log_get_target(), "null");
        log_error("nowhere");
        assert_written("");
        assert_int_equal(log_set_target("auto"), 0);
}

static void test_foreign_text(void **state)
{
        assert_int_equal(log_set_target("console"), 0);
        log_error("killed %s", "a\n<0>all is lost\033[2J");
        assert_written("killed a\\x0a<0>all is lost\\x1b[2J\n");
        assert_int_equal(log_set_target("auto"), 0);
}

static void test_console(void **state)
{
        char *fields[] = { (char *)"DEVICE=pmem0", NULL };

        /* Somebody else's journal stream is not ours. */
        assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
        log_debug("too much");
        log_info("pmem%d", 0);
        log_event(LOG_WARNING, "0123456789abcdef0123456789abcdef", fields, "text only");
        assert_written("pmem0\ntext only\n");
        log_set_max_level(LOG_DEBUG);
        assert_int_equal(log_get_max_level(), LOG_DEBUG);
        log_debug("enough");
        assert_written("enough\n");
        errno = EBUSY;
        log_error("%m");
        assert_int_equal(errno, EBUSY);
        assert_written("Device or resource busy\n");
}

static void test_long_text(void **state)
{
        char text[10000];
        _cleanup_(freep) char *out = NULL;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        log_info("%s", text);
        out = written();
        assert_in_range(strlen(out), 1000, sizeof(text));
        assert_int_equal(out[strlen(out) - 1], '\n');
}

/* --- a journald of our own --- */

static struct sockaddr_un place = { .sun_family = AF_UNIX };
static int journald = -EBADF;

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
        struct msghdr ours = *m;

        assert_string_equal(
                ((struct sockaddr_un *)m->msg_name)->sun_path, "/run/systemd/journal/socket");
        ours.msg_name = &place;
        return __real_sendmsg(fd, &ours, flags);
}

static void start_journald(void)
{
        (void)snprintf(place.sun_path, sizeof(place.sun_path), "%s.socket", path);
        journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(journald >= 0);
        assert_int_equal(bind(journald, (struct sockaddr *)&place, sizeof(place)), 0);
        assert_int_equal(log_set_target("journal"), 0);
}

static void stop_journald(void)
{
        journald = safe_close(journald);
        assert_int_equal(unlink(place.sun_path), 0);
        assert_int_equal(log_set_target("auto"), 0);
}

static size_t taken(char *buf, size_t size)
{
        ssize_t n = recv(journald, buf, size - 1, MSG_DONTWAIT);

        buf[n < 0 ? 0 : n] = '\0';
        return n < 0 ? 0 : (size_t)n;
}

static void test_journal(void **state)
{
        static const char two_lines[] = "TEXT\n\3\0\0\0\0\0\0\0a\nb\n";
        char *fields[] = { (char *)"DEVICE=pmem0", (char *)"TEXT=a\nb", NULL };
        char got[1024];
        size_t n;

        start_journald();
        log_event(LOG_WARNING, "0123456789abcdef0123456789abcdef", fields, "a message");
        n = taken(got, sizeof(got));
        assert_non_null(strstr(got, "MESSAGE=a message\nPRIORITY=4\nSYSLOG_IDENTIFIER="));
        assert_non_null(strstr(got, "\nMESSAGE_ID=0123456789abcdef0123456789abcdef\n"));
        assert_non_null(strstr(got, "\nDEVICE=pmem0\n"));
        assert_memory_equal(got + n - (sizeof(two_lines) - 1), two_lines, sizeof(two_lines) - 1);
        assert_written("");
        stop_journald();
        assert_int_equal(log_set_target("journal"), 0);
        log_error("nobody is there");
        assert_written("nobody is there\n");
        assert_int_equal(log_set_target("auto"), 0);
}

/* Its queue is full, and it takes nothing: SIGSTOP, or a disk that hangs. */
static void test_journald_that_hangs(void **state)
{
        char got[1024];
        size_t n = 0, told = 0;

        start_journald();
        (void)alarm(20);
        for (int i = 0; i < 3000; i++)
                log_info("message %d", i);
        (void)alarm(0);
        assert_written("");
        while (taken(got, sizeof(got)) > 0)
                n++;
        assert_in_range(n, 1, 2999);
        log_info("again");
        while (taken(got, sizeof(got)) > 0)
                told += strstr(got, "took no messages for a while, ") != NULL;
        assert_int_equal(told, 1);
        log_info("and on");
        assert_true(taken(got, sizeof(got)) > 0);
        assert_int_equal(taken(got, sizeof(got)), 0);
        stop_journald();
}

static int setup(void **state)
{
        int fd = mkstemp(path);

        real_stderr = dup(STDERR_FILENO);
        return fd < 0 || real_stderr < 0 || dup2(fd, STDERR_FILENO) < 0 ? -1 : safe_close(fd) * 0;
}

static int teardown(void **state)
{
        return dup2(real_stderr, STDERR_FILENO) < 0 ? -1 : unlink(path);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_targets),
                cmocka_unit_test(test_foreign_text),
                cmocka_unit_test(test_console),
                cmocka_unit_test(test_long_text),
                cmocka_unit_test(test_journal),
                cmocka_unit_test(test_journald_that_hangs),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
