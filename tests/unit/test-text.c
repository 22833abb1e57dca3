/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/sysmacros.h>
#include <cmocka.h>

#include "util/text.h"

static void test_parse_u64(void **state)
{
        static const char *const malformed[] = { "", " 1", "1 ", "+1", "-1", "0x10", "1.0", "1e3",
                "a", "1\n" };
        uint64_t v = 7;

        for (size_t i = 0; i < ELEMENTSOF(malformed); i++)
                assert_int_equal(parse_u64(malformed[i], &v), -EINVAL);
        assert_int_equal(parse_u64("18446744073709551616", &v), -ERANGE);
        assert_int_equal(parse_u64("99999999999999999999999", &v), -ERANGE);
        assert_true(v == 7);
        assert_int_equal(parse_u64("18446744073709551615", &v), 0);
        assert_true(v == UINT64_MAX);
        assert_int_equal(parse_u64("0", &v), 0);
        assert_true(v == 0);
}

static void test_parse_int(void **state)
{
        int i = 7;

        assert_int_equal(parse_int("-2", &i), 0);
        assert_int_equal(i, -2);
        assert_int_equal(parse_int("2147483647", &i), 0);
        assert_int_equal(i, INT_MAX);
        assert_int_equal(parse_int("2147483648", &i), -ERANGE);
        assert_int_equal(parse_int("-", &i), -EINVAL);
        assert_int_equal(parse_int("--1", &i), -EINVAL);
        assert_int_equal(parse_int("", &i), -EINVAL);
        assert_int_equal(i, INT_MAX);
}

static void test_number_after(void **state)
{
        uint64_t v;

        assert_int_equal(number_after("A: 1 kB\nSwapFree:\t  56 kB\n", "\nSwapFree:", &v), 0);
        assert_int_equal(v, 56);
        assert_int_equal(number_after("SwapFree: 1", "\nSwapFree:", &v), -ENODATA);
        assert_int_equal(number_after("A: \n1", "A:", &v), -EINVAL);
}

static void test_parse_pid(void **state)
{
        pid_t pid = 5;

        assert_int_equal(parse_pid("0", &pid), -EINVAL);
        assert_int_equal(parse_pid("-1", &pid), -EINVAL);
        assert_int_equal(parse_pid("4294967297", &pid), -ERANGE);
        assert_int_equal(pid, 5);
        assert_int_equal(parse_pid("4194304", &pid), 0);
        assert_int_equal(pid, 4194304);
}

static void test_devnum(void **state)
{
        static const char *const malformed[] = { "", ":", "1", "1:", ":1", "a:b", "1:2:3", "1:2\n",
                " 1:2", "4096:0", "0:1048576" };
        char buf[DEVNUM_MAX];
        dev_t dev = 0;

        for (size_t i = 0; i < ELEMENTSOF(malformed); i++)
                assert_int_equal(parse_devnum(malformed[i], &dev), -EINVAL);
        assert_int_equal(parse_devnum("259:1048575", &dev), 0);
        assert_true(dev == makedev(259, 1048575));
        assert_string_equal(format_devnum(buf, dev), "259:1048575");
}

static void test_boolean(void **state)
{
        assert_int_equal(parse_boolean("yes"), 1);
        assert_int_equal(parse_boolean("On"), 1);
        assert_int_equal(parse_boolean("0"), 0);
        assert_int_equal(parse_boolean("FALSE"), 0);
        assert_int_equal(parse_boolean(""), -EINVAL);
        assert_int_equal(parse_boolean("2"), -EINVAL);
        assert_int_equal(parse_boolean("yes "), -EINVAL);
}

static void test_parse_timespan(void **state)
{
        static const struct {
                const char *text;
                uint64_t usec;
        } good[] = {
                { "10", 10 * USEC_PER_SEC },
                { "10s", 10 * USEC_PER_SEC },
                { "1min 30s", 90 * USEC_PER_SEC },
                { "1min30s", 90 * USEC_PER_SEC },
                { " 2 h ", 7200 * USEC_PER_SEC },
                { "250ms", 250 * USEC_PER_MSEC },
                { "1.5s", 1500 * USEC_PER_MSEC },
                { "0.5", 500 * USEC_PER_MSEC },
                { "1us", 1 },
                { "3 \xce\xbcs", 3 },
                { "2 weeks", 14 * 24 * 3600 * USEC_PER_SEC },
                { "0", 0 },
                { "infinity", USEC_INFINITY },
        };
        static const char *const malformed[] = { "", " ", "s", "10x", "-1s", "1min 30", "5 5",
                "1.s", ".5s", "1..5s", "infinity s", "infinite", "1M", "10 s s", "0x1s" };
        uint64_t v = 7;

        for (size_t i = 0; i < ELEMENTSOF(malformed); i++)
                assert_int_equal(parse_timespan(malformed[i], &v), -EINVAL);
        assert_int_equal(parse_timespan("18446744073709551615us", &v), -ERANGE);
        assert_int_equal(parse_timespan("99999999999999w", &v), -ERANGE);
        assert_true(v == 7);
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                assert_int_equal(parse_timespan(good[i].text, &v), 0);
                assert_true(v == good[i].usec);
        }
}

static void test_format_timespan(void **state)
{
        static const uint64_t values[] = { 0, 1, 999, 1000, 90 * USEC_PER_SEC, UINT64_MAX - 1,
                USEC_INFINITY };
        char buf[TIMESPAN_MAX];
        uint64_t v;

        assert_string_equal(format_timespan(buf, 90 * USEC_PER_SEC), "1min 30s");
        assert_string_equal(format_timespan(buf, 250 * USEC_PER_MSEC), "250ms");
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                assert_int_equal(parse_timespan(format_timespan(buf, values[i]), &v), 0);
                assert_true(v == values[i]);
        }
}

static void test_signals(void **state)
{
        int sig = 0;

        assert_int_equal(parse_signal("SIGTERM", &sig), 0);
        assert_int_equal(sig, SIGTERM);
        assert_int_equal(parse_signal("BUS", &sig), 0);
        assert_int_equal(sig, SIGBUS);
        assert_int_equal(parse_signal("15", &sig), 0);
        assert_int_equal(sig, SIGTERM);
        assert_int_equal(parse_signal("0", &sig), -EINVAL);
        assert_int_equal(parse_signal("1000", &sig), -EINVAL);
        assert_int_equal(parse_signal("", &sig), -EINVAL);
        assert_int_equal(parse_signal("SIG", &sig), -EINVAL);
        assert_int_equal(parse_signal("term", &sig), -EINVAL);
        for (int i = 1; i < 32; i++) {
                if (i == 16) /* SIGSTKFLT is not used on Linux */
                        continue;
                assert_int_equal(parse_signal(signal_name(i), &sig), 0);
                assert_int_equal(sig, i);
        }
        assert_string_equal(signal_name(-1), "unknown signal");
        assert_string_equal(signal_name(1000), "unknown signal");
}

static void test_strv(void **state)
{
        _cleanup_(strv_freep) char **l = NULL, **globs = NULL, **empty = NULL;

        assert_int_equal(strv_length(NULL), 0);
        assert_false(strv_contains(NULL, "a"));
        assert_false(strv_fnmatch(NULL, "a"));
        assert_int_equal(strv_append(&l, "one"), 0);
        assert_int_equal(strv_append(&l, ""), 0);
        assert_int_equal(strv_length(l), 2);
        assert_true(strv_contains(l, ""));
        assert_false(strv_contains(l, "on"));
        assert_int_equal(strv_split(" /mnt/*\t  sshd.service\n", &globs), 0);
        assert_int_equal(strv_length(globs), 2);
        assert_string_equal(globs[1], "sshd.service");
        assert_true(strv_fnmatch(globs, "/mnt/a"));
        assert_false(strv_fnmatch(globs, "/srv/a"));
        assert_int_equal(strv_split("  ", &empty), 0);
        assert_non_null(empty);
        assert_int_equal(strv_length(empty), 0);
}

static void test_strings(void **state)
{
        _cleanup_(freep) char *s = NULL, *printed = string_printf("%s-%d", "a", 5);

        assert_string_equal(printed, "a-5");
        assert_int_equal(free_and_strdup(&s, "first"), 0);
        assert_int_equal(free_and_strdup(&s, s + 1), 0);
        assert_string_equal(s, "irst");
        assert_int_equal(free_and_strdup(&s, NULL), 0);
        assert_null(s);
}

static void write_file(const char *path, size_t size)
{
        _cleanup_(fclosep) FILE *f = fopen(path, "we");

        assert_non_null(f);
        for (size_t i = 0; i < size; i++)
                assert_true(fputc('a' + (int)(i % 26), f) != EOF);
}

static void test_read_full_file(void **state)
{
        static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 20000 };
        char path[] = "/tmp/test-text-XXXXXX";
        _cleanup_(closep) int fd = mkstemp(path);

        assert_true(fd >= 0);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_(freep) char *data = NULL, *none = NULL;
                size_t size = 99;

                write_file(path, sizes[i]);
                assert_int_equal(read_full_file(path, sizes[i], &data, &size), 0);
                assert_int_equal(size, sizes[i]);
                assert_int_equal(strlen(data), sizes[i]);
                if (sizes[i] > 0)
                        assert_int_equal(read_full_file(path, sizes[i] - 1, &none, NULL), -EFBIG);
                assert_null(none);
        }
        assert_int_equal(unlink(path), 0);
        assert_int_equal(read_full_file(path, 10, &(char *){ NULL }, NULL), -ENOENT);
}

static void test_time(void **state)
{
        uint64_t now = now_usec();

        assert_true(now > 0);
        assert_true(now_usec() >= now);
        assert_true(now_realtime_usec() > UINT64_C(1500000000) * USEC_PER_SEC);
        assert_true(usec_add(1, 2) == 3);
        assert_true(usec_add(USEC_INFINITY, 1) == USEC_INFINITY);
        assert_true(usec_add(USEC_INFINITY - 1, 5) == USEC_INFINITY);
        assert_int_equal(poll_timeout_ms(USEC_INFINITY), -1);
        assert_int_equal(poll_timeout_ms(0), 0);
        assert_int_equal(poll_timeout_ms(USEC_INFINITY - 1), INT32_MAX);
        /* Never 0 while the deadline is ahead: a caller's poll loop would spin. */
        assert_true(poll_timeout_ms(now_usec() + 3600 * USEC_PER_SEC) > 3500 * 1000);
}

static void test_options(void **state)
{
        static const char options[] = "rw,a=1,b,a=x\\,y,aa=2,logdev=/dev/pmem1";
        _cleanup_(freep) char *first = NULL, *second = NULL, *last = NULL;
        char *none = NULL;

        assert_int_equal(option_get(options, "a", 0, &first), 0);
        assert_string_equal(first, "1");
        assert_int_equal(option_get(options, "a", 1, &second), 0);
        assert_string_equal(second, "x\\,y");
        assert_int_equal(option_get(options, "a", 2, &none), -ENOENT);
        assert_int_equal(option_get(options, "b", 0, &none), -ENOENT);
        assert_int_equal(option_get(options, "logdev", 0, &last), 0);
        assert_string_equal(last, "/dev/pmem1");
        assert_int_equal(option_get("", "a", 0, &none), -ENOENT);
}

static void test_list(void **state)
{
        assert_true(list_contains("pfn0.0", "pfn0.0"));
        assert_true(list_contains("mount /a, mount /ab, mount /c", "mount /ab"));
        assert_true(list_contains("mount /abc, mount /ab", "mount /ab"));
        assert_false(list_contains("mount /ab", "mount /a"));
        assert_false(list_contains("dm /mount /a", "mount /a"));
        assert_false(list_contains("", "a"));
        assert_true(list_contains("a", ""));
        assert_true(list_contains("xa, a, a", "a, a"));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse_u64),
                cmocka_unit_test(test_parse_int),
                cmocka_unit_test(test_number_after),
                cmocka_unit_test(test_parse_pid),
                cmocka_unit_test(test_devnum),
                cmocka_unit_test(test_boolean),
                cmocka_unit_test(test_parse_timespan),
                cmocka_unit_test(test_format_timespan),
                cmocka_unit_test(test_signals),
                cmocka_unit_test(test_strv),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_read_full_file),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
