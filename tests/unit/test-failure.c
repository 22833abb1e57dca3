/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failure.h"

static void test_every_kind(void **state)
{
        for (FailureKind k = FAILURE_NONE; k < _FAILURE_MAX; k++) {
                const FailureInfo *info = failure_info(k);

                assert_int_equal(info->kind, k);
                assert_non_null(info->name);
                assert_non_null(info->bus_name);
                assert_non_null(info->result);
                assert_true(strlen(info->sentence) > 0);
                assert_true((info->err > 0) == (k != FAILURE_NONE));
                assert_int_equal(failure_kind_from_string(info->name), k);
                assert_int_equal(failure_kind_from_string(info->bus_name), k);
        }
}

static void test_unique(void **state)
{
        for (FailureKind k = FAILURE_NONE; k < _FAILURE_MAX; k++)
                for (FailureKind l = FAILURE_NONE; l < k; l++) {
                        assert_string_not_equal(failure_info(k)->name, failure_info(l)->name);
                        assert_string_not_equal(
                                failure_info(k)->bus_name, failure_info(l)->bus_name);
                        assert_string_not_equal(
                                failure_info(k)->sentence, failure_info(l)->sentence);
                }
}

/* "no-such-target" is "org.pmemremoved1.Error.NoSuchTarget": the two columns cannot drift apart. */
static void test_bus_names(void **state)
{
        for (FailureKind k = FAILURE_NONE; k < _FAILURE_MAX; k++) {
                const FailureInfo *info = failure_info(k);
                char expected[128] = "org.pmemremoved1.Error.", *out = expected + strlen(expected);

                if (k == FAILURE_ACCESS_DENIED) {
                        assert_string_equal(
                                info->bus_name, "org.freedesktop.DBus.Error.AccessDenied");
                        continue;
                }
                for (const char *p = info->name; *p; p++)
                        if (p == info->name || p[-1] == '-')
                                *out++ = (char)toupper((unsigned char)*p);
                        else if (*p != '-')
                                *out++ = *p;
                assert_string_equal(info->bus_name, expected);
        }
}

static void test_strings(void **state)
{
        assert_int_equal(failure_kind_from_string(""), _FAILURE_INVALID);
        assert_int_equal(failure_kind_from_string("Busy"), _FAILURE_INVALID);
        assert_int_equal(
                failure_kind_from_string("org.pmemremoved1.Error.Busyy"), _FAILURE_INVALID);
        assert_int_equal(failure_info(_FAILURE_INVALID)->kind, FAILURE_FAILED);
        assert_int_equal(failure_info(_FAILURE_MAX)->kind, FAILURE_FAILED);
        assert_string_equal(failure_result(FAILURE_NONE), "done");
        assert_string_equal(failure_result(FAILURE_ROLLBACK_FAILED), "stuck");
        assert_string_equal(failure_result(FAILURE_PROTECTED), "refused");
        assert_int_equal(failure_info(FAILURE_ACCESS_DENIED)->exit_code, 77);
}

static void test_set(void **state)
{
        Failure f = { 0 };
        char buf[64];

        assert_int_equal(failure_set(NULL, FAILURE_BUSY, 0, NULL, "x"), -EBUSY);
        assert_int_equal(failure_set(&f, FAILURE_BUSY, -ENOSPC, "/mnt", "held by %d", 5), -ENOSPC);
        assert_int_equal(f.kind, FAILURE_BUSY);
        assert_int_equal(f.err, -ENOSPC);
        assert_string_equal(failure_text(&f, buf, sizeof(buf)), "/mnt: held by 5");
        /* The first cause stays. */
        assert_int_equal(failure_set(&f, FAILURE_TIMED_OUT, 0, "x", "y"), -ETIMEDOUT);
        assert_int_equal(f.kind, FAILURE_BUSY);
        assert_string_equal(failure_text(&f, buf, sizeof(buf)), "/mnt: held by 5");
}

static void test_general_sentence(void **state)
{
        Failure f = { 0 };
        char buf[128], small[8];

        assert_int_equal(failure_set(&f, FAILURE_BUSY, 0, NULL, NULL), -EBUSY);
        assert_string_equal(
                failure_text(&f, buf, sizeof(buf)), failure_info(FAILURE_BUSY)->sentence);
        assert_int_equal(strlen(failure_text(&f, small, sizeof(small))), sizeof(small) - 1);
}

static void test_too_long(void **state)
{
        Failure f = { 0 };
        char text[4096];

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(failure_set(&f, FAILURE_FAILED, -EIO, text, "%s", text), -EIO);
        assert_int_equal(strlen(f.node), sizeof(f.node) - 1);
        assert_int_equal(strlen(f.sentence), sizeof(f.sentence) - 1);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_kind),
                cmocka_unit_test(test_unique),
                cmocka_unit_test(test_bus_names),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_set),
                cmocka_unit_test(test_general_sentence),
                cmocka_unit_test(test_too_long),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
