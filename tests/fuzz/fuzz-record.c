/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One line of a ledger, a plan, a topology or a worker: what is read is what would be written, and
 * a record made of any bytes reads back as itself. */

#include "fuzz.h"

static void parse_and_print(const char *line)
{
        _cleanup_(record_freep) Record *r = NULL, *copy = NULL;
        _cleanup_(freep) char *printed = NULL, *copied = NULL;

        if (record_parse(line, &r) < 0)
                return;
        printed = record_print(r);
        fuzz_assert(printed && streq(printed, line));
        copy = record_copy(r);
        fuzz_assert(copy);
        copied = record_print(copy);
        fuzz_assert(copied && streq(copied, line));
}

/* The parts of the input between line feeds as verb, name, key, value, key, value ... */
static void print_and_parse(char *text)
{
        const char *verb = fuzz_part(&text, '\n'), *name = fuzz_part(&text, '\n'), *key, *value;
        _cleanup_(record_freep) Record *r = record_new(verb, name);

        fuzz_assert(r);
        while ((key = fuzz_part(&text, '\n'))) {
                int k;

                value = fuzz_part(&text, '\n');
                k = record_set(r, key, value);
                fuzz_assert(k == 0 || k == -EINVAL);
                if (k == 0 && value)
                        fuzz_assert(streq(record_get(r, key), value));
                if (k == 0 && !value)
                        fuzz_assert(!record_get(r, key));
        }
        fuzz_assert_record(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size);

        parse_and_print(text);
        print_and_parse(text);
        return 0;
}
