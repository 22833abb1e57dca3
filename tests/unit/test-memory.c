/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/memory.h"

static const char iomem[] = "00001000-0009fbff : System RAM\n"
                            "100000000-13fffffff : Persistent Memory\n"
                            "  100000000-13fffffff : namespace0.0\n"
                            "140000000-17fffffff : Persistent Memory\n"
                            "  148000000-17fffffff : dax1.0\n"
                            "    148000000-17fffffff : System RAM (kmem)\n"
                            "380000000-b7fffffff : PCI Bus 0000:00\n";

static int ask(const char *text, uint64_t start, uint64_t size)
{
        FILE *f = fmemopen((void *)text, strlen(text), "r");
        int r;

        assert_non_null(f);
        r = memory_iomem_has_ram(f, start, size);
        assert_int_equal(fclose(f), 0);
        return r;
}

static void test_iomem(void **state)
{
        assert_int_equal(ask(iomem, 0x141200000, 0x3ee00000), 1);
        assert_int_equal(ask(iomem, 0x17ffff000, 0x1000), 1);
        assert_int_equal(ask(iomem, 0x180000000, 0x1000), 0);
        assert_int_equal(ask(iomem, 0x100000000, 0x40000000), 0);
        /* The machine's own RAM was not given by kmem. */
        assert_int_equal(ask(iomem, 0x1000, 0x1000), 0);
        /* As somebody sees it who may not see addresses; and what is no such file. */
        assert_int_equal(ask("00000000-00000000 : System RAM\n", 0x1000, 0x1000), -EACCES);
        assert_int_equal(ask("nonsense\n", 0x1000, 0x1000), -EBADMSG);
}

static char *list_of(const uint64_t *numbers, size_t n)
{
        char *list = NULL;

        for (size_t i = 0; i < n; i++)
                assert_int_equal(memory_list_add(&list, numbers[i]), 0);
        return list;
}

static void test_list_add(void **state)
{
        static const uint64_t numbers[] = { 3, 41, 42, 43, 45, 47, 48 };
        _cleanup_(freep) char *list = list_of(numbers, ELEMENTSOF(numbers));

        assert_string_equal(list, "3 41-43 45 47-48");
        assert_int_equal(memory_list_count(list), 7);
        assert_int_equal(memory_list_count(NULL), 0);
}

static int remember(uint64_t number, void *arg)
{
        uint64_t *last = arg;

        assert_true(number < *last);
        *last = number;
        return number == 42 ? -EBUSY : 0;
}

static void test_list_each(void **state)
{
        uint64_t last = UINT64_MAX;

        assert_int_equal(memory_list_each("41-43 45", remember, &last), -EBUSY);
        assert_int_equal(last, 42);
}

static void test_list_malformed(void **state)
{
        static const char *const bad[] = { "x", "1-", "-1", "3-1", "1-2-3", "0-99999999999", "1,2",
                "18446744073709551616" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                uint64_t last = UINT64_MAX;

                assert_int_equal(memory_list_each(bad[i], remember, &last), -EBADMSG);
                assert_int_equal(last, UINT64_MAX);
        }
}

static void test_available(void **state)
{
        uint64_t bytes;

        assert_int_equal(memory_available(&bytes), 0);
        assert_true(bytes > 0);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_iomem),
                cmocka_unit_test(test_list_add),
                cmocka_unit_test(test_list_each),
                cmocka_unit_test(test_list_malformed),
                cmocka_unit_test(test_available),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
