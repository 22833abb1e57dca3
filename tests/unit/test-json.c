/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/cleanup.h"
#include "util/json.h"

/* What json_string() writes for value, as a member of an array. */
static void assert_quoted(const char *value, const char *expected)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        Json j = { .out = open_memstream(&text, &size) };

        assert_non_null(j.out);
        json_string(&j, NULL, value);
        assert_int_equal(fclose(j.out), 0);
        assert_string_equal(text, expected);
}

static void test_plain(void **state)
{
        assert_quoted("", "\"\"");
        assert_quoted("/mnt/with blank", "\"/mnt/with blank\"");
        assert_quoted("'{}[]:,", "\"'{}[]:,\"");
}

static void test_escapes(void **state)
{
        assert_quoted("a\"b\\c", "\"a\\\"b\\\\c\"");
        assert_quoted("\n\t\r\x01\x1f\x7f", "\"\\u000a\\u0009\\u000d\\u0001\\u001f\\u007f\"");
        assert_quoted("\x1b[31m", "\"\\u001b[31m\"");
        assert_quoted("\xc2\x9b\x7f", "\"\\u009b\\u007f\"");
}

static void test_utf8_passes(void **state)
{
        assert_quoted(
                "\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbe", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbe\"");
        assert_quoted("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbd",
                "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbd\"");
}

/* Every byte that is no UTF-8 becomes one replacement character, and reading goes on behind it. */
static void test_bad_utf8_is_replaced(void **state)
{
        assert_quoted("a\xff"
                      "b",
                "\"a\\ufffdb\"");
        assert_quoted("\x80", "\"\\ufffd\"");
        assert_quoted("\xc0\xaf", "\"\\ufffd\\ufffd\"");            /* overlong */
        assert_quoted("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""); /* overlong */
        assert_quoted("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""); /* surrogate */
        assert_quoted("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
        assert_quoted("\xef\xbf\xbe", "\"\\ufffd\\ufffd\\ufffd\""); /* noncharacter */
        assert_quoted("\xe2\x82", "\"\\ufffd\\ufffd\"");            /* cut off */
        assert_quoted("\xe2\x82\"", "\"\\ufffd\\ufffd\\\"\"");
        assert_quoted("\xc3", "\"\\ufffd\"");
}

static char *build(void)
{
        char *text = NULL;
        size_t size;
        Json j = { .out = open_memstream(&text, &size) };

        assert_non_null(j.out);
        json_open(&j, NULL, '{');
        json_string(&j, "na\"me", "a, b: {c}");
        json_open(&j, "list", '[');
        json_u64(&j, NULL, UINT64_MAX);
        json_open(&j, NULL, '{');
        json_close(&j, '}');
        json_raw(&j, NULL, "true");
        json_close(&j, ']');
        json_open(&j, "empty", '[');
        json_close(&j, ']');
        json_string(&j, "last", "\\");
        json_close(&j, '}');
        assert_int_equal(fclose(j.out), 0);
        return text;
}

static char *reformat(const char *text, bool pretty)
{
        char *ret = NULL;
        size_t size;
        FILE *f = open_memstream(&ret, &size);

        assert_non_null(f);
        json_reformat(f, text, pretty);
        assert_int_equal(fclose(f), 0);
        return ret;
}

#define SHORT                                                                                      \
        "{\"na\\\"me\":\"a, b: {c}\",\"list\":[18446744073709551615,{},true],"                     \
        "\"empty\":[],\"last\":\"\\\\\"}"

static void test_nesting(void **state)
{
        _cleanup_(freep) char *text = build();

        assert_string_equal(text, SHORT);
}

static void test_reformat(void **state)
{
        _cleanup_(freep) char *pretty = reformat(SHORT, true), *again = reformat(pretty, true),
                              *brief = reformat(pretty, false);

        assert_string_equal(pretty, "{\n"
                                    "  \"na\\\"me\": \"a, b: {c}\",\n"
                                    "  \"list\": [\n"
                                    "    18446744073709551615,\n"
                                    "    {},\n"
                                    "    true\n"
                                    "  ],\n"
                                    "  \"empty\": [],\n"
                                    "  \"last\": \"\\\\\"\n"
                                    "}\n");
        assert_string_equal(again, pretty);
        assert_string_equal(brief, SHORT "\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plain),
                cmocka_unit_test(test_escapes),
                cmocka_unit_test(test_utf8_passes),
                cmocka_unit_test(test_bad_utf8_is_replaced),
                cmocka_unit_test(test_nesting),
                cmocka_unit_test(test_reformat),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
