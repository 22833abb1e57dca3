/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/record.h"
#include "util/text.h"

static const char *const nasty[] = { "", " ", "  ", "a", "a b", "a=b", "=", "==", "key=value", "\"",
        "\\", "\\\"", "\\n", "\n", "\r\n", "\t", "\x01", "\x1f", "\x7f", "\x80", "\xff", "\xc3\xa4",
        "#", "#comment", "a#b", "-", "--", "'", "`$(x)`", "%s%n%2C", "on=block:pmem0,x",
        "/mnt/with blank", "x\\x00", "\\x", "\v\f\b\a\x1b[31m", "1234 (na) me)",
        "deleted (deleted)", "quoted \"word\" in \\ it", "~", "[", "{}", "@", "\xe2\x80\xa8",
        "a\nverb name key=value" };

static void assert_same(const Record *a, const Record *b)
{
        assert_string_equal(a->verb, b->verb);
        assert_int_equal(!a->name, !b->name);
        if (a->name)
                assert_string_equal(a->name, b->name);
        assert_int_equal(a->n_fields, b->n_fields);
        for (size_t i = 0; i < a->n_fields; i++) {
                assert_string_equal(a->fields[i].key, b->fields[i].key);
                assert_string_equal(a->fields[i].value, b->fields[i].value);
        }
}

static void assert_round_trip(const Record *r)
{
        _cleanup_(record_freep) Record *again = NULL;
        _cleanup_(freep) char *line = record_print(r), *line_again = NULL;

        assert_non_null(line);
        for (const char *p = line; *p; p++)
                assert_in_range((unsigned char)*p, 0x20, 0x7e);
        assert_int_equal(record_parse(line, &again), 0);
        assert_same(r, again);
        line_again = record_print(again);
        assert_string_equal(line, line_again);
}

static void test_round_trip(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(nasty); i++)
                for (size_t j = 0; j < ELEMENTSOF(nasty); j++) {
                        _cleanup_(record_freep) Record *r = record_new(nasty[i], nasty[j]);
                        _cleanup_(record_freep) Record *nameless = record_new(nasty[i], NULL);

                        assert_round_trip(nameless);
                        assert_round_trip(r);
                        assert_int_equal(record_set(r, "0-key_", nasty[i]), 0);
                        assert_int_equal(record_set(nameless, "k", nasty[j]), 0);
                        assert_int_equal(record_set(r, "z", nasty[j]), 0);
                        assert_round_trip(nameless);
                        assert_round_trip(r);
                }
}

static void test_every_byte(void **state)
{
        _cleanup_(record_freep) Record *r = NULL;
        char all[256];

        for (size_t i = 0; i < 255; i++)
                all[i] = (char)(i + 1);
        all[255] = '\0';
        r = record_new(all, all);
        assert_non_null(r);
        assert_int_equal(record_set(r, "all", all), 0);
        assert_round_trip(r);
}

static void test_form(void **state)
{
        static const char *const lines[] = {
                "verb",
                "verb name",
                "verb k=v",
                "verb \"a=b\" k=\"a=b\"",
                "step unmount rung=1 target=\"/mnt/with blank\" id=42",
                "a \"\" b=\"\"",
                "a \"\\xff\\n\\t\\\"\\\\\"",
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_(record_freep) Record *r = NULL;
                _cleanup_(freep) char *line = NULL;

                assert_int_equal(record_parse(lines[i], &r), 0);
                line = record_print(r);
                assert_string_equal(line, lines[i]);
        }
}

static void test_refused(void **state)
{
        static const char *const lines[] = { "", " ", " verb", "verb ", "verb  name", "verb name ",
                "verb\tname", "verb name more", "verb k=v name", "verb k=", "verb =v", "verb K=v",
                "verb k=v k=w", "k=v", "verb k =v", "verb k= v", "verb k=v=w", "verb \"plain\"",
                "\"verb\"", "verb k=\"plain\"", "verb \"open", "verb \"", "verb \"a b\"c",
                "verb \"a b\"=c", "verb \"\\x41 \"", "verb \"\\xFF\"", "verb \"\\x00\"",
                "verb \"a\\x00b \"", "verb \"\\xf\"", "verb \"\\x\"", "verb \"\\", "verb \"\\q\"",
                "verb \"\\x0a\"", "verb \"\n\"", "verb \"\xc3\xa4\"", "verb\n", "#x",
                "verb \"\\x7\"", "verb 'a'" };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                Record *r = NULL;

                assert_int_equal(record_parse(lines[i], &r), -EBADMSG);
                assert_null(r);
        }
}

static void test_fields(void **state)
{
        _cleanup_(record_freep) Record *r = record_new("v", NULL), *copy = NULL;
        uint64_t v = 0;

        assert_int_equal(record_set(r, "", "x"), -EINVAL);
        assert_int_equal(record_set(r, "A", "x"), -EINVAL);
        assert_int_equal(record_set(r, "a=b", "x"), -EINVAL);
        assert_int_equal(record_set(r, "a", "1"), 0);
        assert_int_equal(record_setf(r, "b", "%d-%s", 2, "x"), 0);
        assert_int_equal(record_set(r, "c", "3"), 0);
        assert_int_equal(record_set(r, "a", "18446744073709551616"), 0);
        assert_string_equal(r->fields[0].key, "a");
        assert_int_equal(record_get_u64(r, "a", &v), -ERANGE);
        assert_int_equal(record_get_u64(r, "b", &v), -EINVAL);
        assert_int_equal(record_get_u64(r, "d", &v), -ENOENT);
        assert_int_equal(record_get_u64(r, "c", &v), 0);
        assert_true(v == 3);
        assert_int_equal(record_set(r, "b", NULL), 0);
        assert_int_equal(record_set(r, "b", NULL), 0);
        assert_null(record_get(r, "b"));
        assert_int_equal(r->n_fields, 2);
        assert_int_equal(record_set(r, "c", record_get(r, "c")), 0);
        copy = record_copy(r);
        assert_same(r, copy);
}

static void test_limit(void **state)
{
        _cleanup_(record_freep) Record *fits = NULL, *tight = NULL, *too_long = NULL;
        _cleanup_(freep) char *word = malloc(RECORD_LINE_MAX + 2);
        Record *parsed = NULL;

        assert_non_null(word);
        memset(word, 'x', RECORD_LINE_MAX + 1);
        word[RECORD_LINE_MAX + 1] = '\0';
        too_long = record_new(word, NULL);
        assert_null(record_print(too_long));
        assert_int_equal(record_parse(word, &parsed), -EBADMSG);
        word[RECORD_LINE_MAX] = '\0';
        tight = record_new(word, NULL);
        assert_round_trip(tight);
        /* Every byte takes four. */
        memset(word, '\x01', RECORD_LINE_MAX);
        word[RECORD_LINE_MAX / 4] = '\0';
        record_free(TAKE_PTR(too_long));
        too_long = record_new(word, NULL);
        assert_null(record_print(too_long));
        word[RECORD_LINE_MAX / 4 - 1] = '\0';
        fits = record_new(word, NULL);
        assert_round_trip(fits);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_every_byte),
                cmocka_unit_test(test_form),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
