/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A request as the head of a ledger. */

#include "fuzz.h"
#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size), *line = NULL, *again = NULL;
        _cleanup_(record_freep) Record *r = NULL, *back = NULL, *back_again = NULL;
        _cleanup_(request_freep) Request *req = NULL, *copy = NULL;
        uint64_t uid;

        if (record_parse(text, &r) < 0 || request_from_record(r, &req) < 0)
                return 0;
        fuzz_assert(record_get_u64(r, "uid", &uid) == 0 && uid == req->uid);
        fuzz_assert(request_to_record(req, &back) == 0);
        fuzz_assert(request_from_record(back, &copy) == 0);
        fuzz_assert(request_to_record(copy, &back_again) == 0);
        line = record_print(back);
        again = record_print(back_again);
        fuzz_assert(line && again && streq(line, again));
        return 0;
}
