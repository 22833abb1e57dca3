/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An inhibitor, from a client's words (target, who, why, mode: a line each) and from its file. */

#include "fuzz.h"
#include "inhibitor.h"
#include "util/text.h"

static void check(const Inhibitor *i)
{
        _cleanup_(record_freep) Record *r = NULL;
        _cleanup_(inhibitor_freep) Inhibitor *copy = NULL;
        Failure f = { 0 };

        fuzz_assert_utf8(i->target, "");
        fuzz_assert_utf8(i->who, "");
        fuzz_assert_utf8(i->why, "");
        fuzz_assert(inhibitor_to_record(i, &r) == 0);
        fuzz_assert_record(r);
        fuzz_assert(inhibitor_from_record(r, &copy) == 0);
        fuzz_assert(copy->id == i->id && copy->uid == i->uid && copy->pid == i->pid);
        fuzz_assert(copy->mode == i->mode && streq(copy->target, i->target));
        fuzz_assert(strv_length(copy->names) == strv_length(i->names));
        fuzz_assert(inhibitor_refuse(i, &f) < 0);
        fuzz_assert_failure(&f);
        fuzz_assert_utf8(f.sentence, "");
        fuzz_assert(strstr(f.sentence, "ignore-inhibitors"));
}

static void from_client(char *text)
{
        _cleanup_(inhibitor_freep) Inhibitor *i = NULL;
        char *target = fuzz_part(&text, '\n'), *who = fuzz_part(&text, '\n');
        char *why = fuzz_part(&text, '\n'), *mode = fuzz_part(&text, '\n');
        Failure f = { 0 };

        if (!mode)
                return;
        if (inhibitor_new(target, who, why, mode, &i, &f) < 0)
                fuzz_assert_failure(&f);
        else
                check(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size);
        _cleanup_(record_freep) Record *r = NULL;
        _cleanup_(inhibitor_freep) Inhibitor *i = NULL;

        if (record_parse(text, &r) == 0 && inhibitor_from_record(r, &i) == 0)
                check(i);
        from_client(text);
        return 0;
}
