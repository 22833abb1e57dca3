/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as keys and values of a document; and the printer that gives documents their shape. */

#include "fuzz.h"
#include "util/json.h"

static char *reformat(const char *text, bool pretty)
{
        char *out = NULL;
        size_t size;
        FILE *f = open_memstream(&out, &size);

        fuzz_assert(f);
        json_reformat(f, text, pretty);
        fuzz_assert(fclose(f) == 0);
        return out;
}

static char *document(char *text)
{
        char *out = NULL, *part;
        size_t size;
        Json j = { .out = open_memstream(&out, &size) };

        fuzz_assert(j.out);
        json_open(&j, NULL, '{');
        while ((part = fuzz_part(&text, '\n'))) {
                json_string(&j, part, part);
                json_open(&j, "list", '[');
                json_string(&j, NULL, part);
                json_u64(&j, NULL, strlen(part));
                json_close(&j, ']');
        }
        json_close(&j, '}');
        fuzz_assert(fclose(j.out) == 0);
        return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size), *any = reformat(text, true);
        _cleanup_(freep) char *written = document(text), *pretty = reformat(written, true);
        _cleanup_(freep) char *compact = reformat(pretty, false);

        fuzz_assert(strlen(any) > 0);
        fuzz_assert_json(written);
        fuzz_assert_json(pretty);
        fuzz_assert_json(compact);
        /* Only the blanks differ, and the newline at the end. */
        fuzz_assert(strlen(compact) == strlen(written) + 1 &&
                    strncmp(compact, written, strlen(written)) == 0);
        return 0;
}
