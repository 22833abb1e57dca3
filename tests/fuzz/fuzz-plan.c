/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A plan as text: what is read prints as itself with the same id, notes and estimates change
 * nothing of it, and the same as JSON is JSON. */

#include "fuzz.h"
#include "plan.h"
#include "policy.h"
#include "util/text.h"

static void read_steps(const Plan *p)
{
        char buf[512];

        for (size_t i = 0; i < p->n_steps; i++) {
                const Step *s = &p->steps[i];

                fuzz_assert(s->number == i + 1 && s->rung <= 2);
                fuzz_assert(policy_find_step(s->ops->name) == s->ops);
                (void)plan_step_text(s, buf, sizeof(buf));
                (void)step_get_u64(s, "wait");
                (void)step_get_dev(s, "dev");
        }
        for (unsigned rung = 0; rung < 5; rung++)
                (void)plan_road(p, rung);
}

static void without_notes(const Plan *p, const char *text)
{
        _cleanup_(plan_freep) Plan *bare = NULL;
        _cleanup_(freep) char *kept = malloc(strlen(text) + 1);
        char *out = kept;

        fuzz_assert(kept);
        for (size_t n; *text; text += n) {
                n = strcspn(text, "\n") + 1;
                if (*text != '#' && strncmp(text, "estimate ", 9) != 0)
                        out = mempcpy(out, text, n);
        }
        *out = '\0';
        fuzz_assert(plan_parse(kept, policy_find_step, &bare, NULL) == 0);
        fuzz_assert(streq(bare->id, p->id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size), *printed = NULL, *again = NULL;
        _cleanup_(freep) char *json = NULL;
        _cleanup_(plan_freep) Plan *p = NULL, *copy = NULL;
        const char *rest = NULL;

        if (plan_parse(text, policy_find_step, &p, &rest) < 0)
                return 0;
        fuzz_assert(rest > text && rest <= text + strlen(text) && rest[-1] == '\n');
        read_steps(p);
        fuzz_assert(plan_print(p, &printed) == 0);
        fuzz_assert(plan_parse(printed, policy_find_step, &copy, &rest) == 0 && !*rest);
        fuzz_assert(streq(copy->id, p->id));
        fuzz_assert(plan_print(copy, &again) == 0 && streq(printed, again));
        without_notes(p, printed);
        fuzz_assert(plan_print_json(p, &json) == 0);
        fuzz_assert_json(json);
        return 0;
}
