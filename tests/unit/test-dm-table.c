/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/sysmacros.h>
#include <cmocka.h>

#include "sys/dm-table.h"

#define LINEAR "0 8192 linear 259:0 2048; 8192 8192 linear 259:1 0"
#define STRIPED "0 16384 striped 2 128 259:0 2048 259:1 0"

static char *crypt_with(const char *key)
{
        return string_printf("0 100 crypt aes-xts-plain64 %s 0 259:0 4096 1 allow_discards", key);
}

static void test_keys_are_hidden(void **state)
{
        static const struct {
                const char *key;
                const char *hidden;
        } cases[] = {
                { "00112233aabbCCDD", "pmemremoved:data:0" },
                { "-", "-" },
                { ":64:logon:cryptsetup:uuid-d0", ":64:logon:cryptsetup:uuid-d0" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *from = crypt_with(cases[i].key);
                _cleanup_(freep) char *expected = crypt_with(cases[i].hidden);
                _cleanup_(freep) char *got = NULL;

                assert_int_equal(dm_table_hide_keys(from, "data", &got), 0);
                assert_string_equal(got, expected);
                assert_int_equal(dm_table_same(from, got), 1);
        }
}

static void test_unknown_keys_are_refused(void **state)
{
        static const char *const keys[] = { "0", "xyz0", "--" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                _cleanup_(freep) char *from = crypt_with(keys[i]), *got = NULL;

                assert_int_equal(dm_table_hide_keys(from, "data", &got), -EBADMSG);
                assert_null(got);
        }
}

static void test_each_line_has_its_key(void **state)
{
        _cleanup_(freep) char *got = NULL;

        assert_int_equal(dm_table_hide_keys("0 8 crypt c aa 0 259:0 0; 8 8 linear 259:0 9; "
                                            "16 8 crypt c bbbb 0 259:0 0",
                                 "x", &got),
                0);
        assert_string_equal(got, "0 8 crypt c pmemremoved:x:0 0 259:0 0; "
                                 "8 8 linear 259:0 9; "
                                 "16 8 crypt c pmemremoved:x:2 0 259:0 0");
}

static ssize_t fetch(const char *name, uint8_t buf[static DM_KEY_MAX])
{
        if (streq(name, "pmemremoved:x:0")) {
                buf[0] = 0xaa;
                return 1;
        }
        if (!streq(name, "pmemremoved:x:2"))
                return -ENOKEY;
        memset(buf, 0x0f, DM_KEY_MAX);
        return DM_KEY_MAX;
}

static void test_keys_are_filled_in(void **state)
{
        char *got = NULL;

        assert_int_equal(dm_table_fill_keys("0 8 crypt c pmemremoved:x:0 0 259:0 0; 8 8 linear "
                                            "259:0 9; 16 8 crypt c pmemremoved:x:2 0 259:0 0",
                                 fetch, &got),
                0);
        assert_memory_equal(
                got, "0 8 crypt c aa 0 259:0 0; 8 8 linear 259:0 9; 16 8 crypt c 0f0f", 62);
        assert_string_equal(got + strlen(got) - 14, "0f0f 0 259:0 0");
        assert_int_equal(dm_table_same(got, "0 8 crypt c - 0 259:0 0; 8 8 linear 259:0 9; 16 8 "
                                            "crypt c - 0 259:0 0"),
                1);
        wipe_and_free(got);
        got = NULL;
        assert_int_equal(
                dm_table_fill_keys("0 8 crypt c pmemremoved:y:0 0 259:0 0", fetch, &got), -ENOKEY);
        assert_null(got);
        assert_int_equal(dm_table_fill_keys(LINEAR, fetch, &got), 0);
        assert_string_equal(got, LINEAR);
        wipe_and_free(got);
}

static int one_up(void *arg, dev_t dev, dev_t *ret)
{
        if (arg && minor(dev) == *(unsigned *)arg)
                return -ENODEV;
        *ret = makedev(major(dev), minor(dev) + 10);
        return 0;
}

static void test_numbers_are_translated(void **state)
{
        _cleanup_(freep) char *linear = NULL, *striped = NULL, *encrypted = NULL, *none = NULL;
        unsigned missing = 1;

        assert_int_equal(dm_table_translate(LINEAR, one_up, NULL, &linear), 0);
        assert_string_equal(linear, "0 8192 linear 259:10 2048; 8192 8192 linear 259:11 0");
        assert_int_equal(dm_table_translate(STRIPED, one_up, NULL, &striped), 0);
        assert_string_equal(striped, "0 16384 striped 2 128 259:10 2048 259:11 0");
        assert_int_equal(
                dm_table_translate("0 8 crypt c :1:logon:1:2 0 259:0 0", one_up, NULL, &encrypted),
                0);
        assert_string_equal(encrypted, "0 8 crypt c :1:logon:1:2 0 259:10 0");
        assert_int_equal(dm_table_translate(LINEAR, one_up, &missing, &none), -ENODEV);
        assert_null(none);
}

static void test_tables_are_compared(void **state)
{
        assert_int_equal(dm_table_same(LINEAR, LINEAR), 1);
        assert_int_equal(dm_table_same(LINEAR, STRIPED), 0);
        assert_int_equal(dm_table_same("0 8 crypt c aa 0 259:0 0", "0 8 crypt c bb 0 259:0 0"), 1);
        assert_int_equal(dm_table_same("0 8 crypt c aa 0 259:0 0", "0 8 crypt c aa 0 259:0 1"), 0);
        assert_int_equal(dm_table_same("0 8 linear aa bb", "0 8 linear aa cc"), 0);
}

static void test_malformed(void **state)
{
        static const char *const tables[] = { "", " ", "0", "0 8", "0 8;", "0 8 linear 259:0 0;",
                "0 8 linear 259:0 0; ", "0 8  linear", "0 8 linear 259:0 0;8 8 linear 259:0 0",
                "0 8 linear ; 8 8 linear 259:0 0", "0; 8 linear" };

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                _cleanup_(freep) char *got = NULL;

                assert_int_equal(dm_table_hide_keys(tables[i], "x", &got), -EBADMSG);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keys_are_hidden),
                cmocka_unit_test(test_unknown_keys_are_refused),
                cmocka_unit_test(test_each_line_has_its_key),
                cmocka_unit_test(test_keys_are_filled_in),
                cmocka_unit_test(test_numbers_are_translated),
                cmocka_unit_test(test_tables_are_compared),
                cmocka_unit_test(test_malformed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
