/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the planner answers, as the daemon reads it. */

#include "fuzz.h"
#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size), *printed = NULL, *again = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL, *copy = NULL;
        _cleanup_(graph_freep) Graph *g = NULL, *g_copy = NULL;
        Failure f = { 0 };

        if (verdict_parse(text, &v, &g, &f) < 0)
                return 0;
        /* The daemon counts on these. */
        fuzz_assert(v->mode && v->closure && g);
        fuzz_assert(v->plan || v->n_blockers > 0);
        for (size_t i = 0; i < v->n_blockers; i++)
                fuzz_assert_failure(&v->blockers[i]);
        if (verdict_print(v, g, &printed) < 0)
                return 0;
        fuzz_assert(verdict_parse(printed, &copy, &g_copy, &f) == 0);
        fuzz_assert(verdict_print(copy, g_copy, &again) == 0 && streq(printed, again));
        return 0;
}
