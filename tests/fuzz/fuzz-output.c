/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a hook prints, in pieces of any size: each line is bounded, printable UTF-8 and goes into a
 * ledger; how it was cut into pieces changes nothing. */

#include "fuzz.h"
#include "util/lines.h"

typedef struct Heard {
        size_t n, bytes;
        char last[LINES_LENGTH_MAX];
} Heard;

static void hear(const char *text, void *userdata)
{
        Heard *h = userdata;
        _cleanup_(record_freep) Record *r = record_new("hook-output", "10-site");

        fuzz_assert(*text && strlen(text) < LINES_LENGTH_MAX);
        fuzz_assert_utf8(text, "");
        fuzz_assert(r && record_set(r, "text", text) == 0);
        fuzz_assert_record(r);
        h->n++;
        h->bytes += strlen(text);
        (void)snprintf(h->last, sizeof(h->last), "%s", text);
}

static void take(const char *data, size_t size, size_t piece, Heard *h)
{
        Lines l = { .line = hear, .userdata = h };

        for (size_t at = 0; at < size; at += piece)
                lines_take(&l, data + at, size - at < piece ? size - at : piece);
        lines_end(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Heard whole = { 0 }, cut = { 0 };

        take((const char *)data, size, size + 1, &whole);
        take((const char *)data, size, 3, &cut);
        fuzz_assert(whole.n == cut.n && whole.bytes == cut.bytes && streq(whole.last, cut.last));
        return 0;
}
