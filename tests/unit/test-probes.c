/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/probes.h"

#define NAME "MF_MEM_PRE_REMOVE"

/* A type section that happens to hold the name, then the strings. */
static const char types[] = "\0" NAME;
static const char strings[] = "\0mf_flags\0MF_COUNT_INCREASED\0X" NAME "\0" NAME "X\0int";

typedef struct Blob {
        struct btf_header header;
        char types[sizeof(types)];
        char strings[256];
} Blob;

static Blob blob_make(const char *section, size_t size)
{
        Blob b = {
                .header = {
                        .magic = BTF_MAGIC,
                        .version = BTF_VERSION,
                        .hdr_len = sizeof(struct btf_header),
                        .type_len = sizeof(types),
                        .str_off = sizeof(types),
                        .str_len = (uint32_t)size,
                },
        };

        memcpy(b.types, types, sizeof(types));
        memcpy(b.strings, section, size);
        return b;
}

static size_t blob_size(const Blob *b)
{
        return offsetof(Blob, strings) + b->header.str_len;
}

static void test_found(void **state)
{
        static const char with[] = "\0int\0" NAME "\0long", first[] = "\0" NAME;
        Blob b = blob_make(with, sizeof(with));

        assert_int_equal(btf_has_name(&b, blob_size(&b), NAME), ANSWER_YES);
        b = blob_make(first, sizeof(first));
        assert_int_equal(btf_has_name(&b, blob_size(&b), NAME), ANSWER_YES);
}

static void test_not_found(void **state)
{
        Blob b = blob_make(strings, sizeof(strings));

        /* Not as a part of another name, and not outside the strings. */
        assert_int_equal(btf_has_name(&b, blob_size(&b), NAME), ANSWER_NO);
        b = blob_make("", 1);
        assert_int_equal(btf_has_name(&b, blob_size(&b), NAME), ANSWER_NO);
}

static void test_malformed(void **state)
{
        static const char with[] = "\0" NAME "\0x";
        const Blob good = blob_make(with, sizeof(with));
        size_t size = blob_size(&good);
        Blob b;

        for (size_t n = 0; n < size; n++) {
                char *exact = memcpy(malloc(n + 1), &good, n);

                assert_int_equal(btf_has_name(exact, n, NAME), ANSWER_UNKNOWN);
                free(exact);
        }
#define BAD(assignment)                                                                            \
        b = good;                                                                                  \
        b.header.assignment;                                                                       \
        assert_int_equal(btf_has_name(&b, size, NAME), ANSWER_UNKNOWN)
        BAD(magic = __builtin_bswap16(BTF_MAGIC));
        BAD(version = 9);
        BAD(hdr_len = 4);
        BAD(hdr_len = UINT32_MAX);
        BAD(str_off = UINT32_MAX);
        BAD(str_len = UINT32_MAX);
        BAD(str_len = 0);
        BAD(str_len--);
        BAD(str_off++);
}

static void test_this_machine(void **state)
{
        ProbeResult pre_remove, shutdown, memory_failure;
        char settings[256];

        probe_btf(&pre_remove, &shutdown);
        probe_memory_failure(&memory_failure);
        assert_true(strlen(pre_remove.evidence) > 0);
        assert_true(strlen(shutdown.evidence) > 0);
        assert_true(strlen(memory_failure.evidence) > 0);
        assert_string_not_equal(answer_to_string(pre_remove.answer), "");
        assert_string_equal(answer_to_string((Answer)77), "unknown");
        probe_panic_settings(settings, sizeof(settings));
        assert_in_range(strlen(settings), 0, sizeof(settings) - 1);
        print_message("pre-remove %s: %s\nshutdown %s: %s\nmemory failure %s: %s\npanic: %s\n",
                answer_to_string(pre_remove.answer), pre_remove.evidence,
                answer_to_string(shutdown.answer), shutdown.evidence,
                answer_to_string(memory_failure.answer), memory_failure.evidence, settings);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_found),
                cmocka_unit_test(test_not_found),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_this_machine),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
