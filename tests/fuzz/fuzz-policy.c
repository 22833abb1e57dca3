/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The decision itself: a policy file, a request and a topology, in the form of tests/policy, end in
 * a plan that keeps the contract of steps, or in reasons; whatever the machine looks like. */

#include "fuzz.h"
#include "policy.h"
#include "topology.h"
#include "util/text.h"

static const char *const sections[] = { "--- config\n", "--- request\n", "--- topology\n" };

static bool split(char *text, char *parts[static ELEMENTSOF(sections)])
{
        for (size_t i = 0; i < ELEMENTSOF(sections); i++) {
                char *at = strstr(text, sections[i]);

                if (!at)
                        return false;
                *at = '\0';
                text = parts[i] = at + strlen(sections[i]);
        }
        text = strstr(text, "--- expect\n");
        if (text)
                *text = '\0';
        return true;
}

static Config *load_config(const char *text)
{
        char path[FUZZ_PATH_MAX];
        Config *c = NULL;
        Failure f = { 0 };

        (void)fuzz_file(text, strlen(text));
        return config_load_file(fuzz_file_path(path), &c, &f) < 0 ? NULL : c;
}

static Request *load_request(char *text)
{
        _cleanup_(record_freep) Record *r = NULL;
        Request *req = NULL;

        text[strcspn(text, "\n")] = '\0';
        if (record_parse(text, &r) < 0)
                return NULL;
        return request_from_record(r, &req) < 0 ? NULL : req;
}

/* On each road: what cannot be undone stands at or after the commit point. */
static void check_contract(const Plan *p)
{
        for (unsigned rung = 1; rung <= MAX_OF(p->n_roads, (size_t)1); rung++) {
                bool committed = false;

                for (size_t i = 0; i < p->n_steps; i++) {
                        const Step *s = &p->steps[i];

                        if (s->rung != 0 && s->rung != rung)
                                continue;
                        committed |= s->ops == &step_commit || s->ops == &step_done;
                        fuzz_assert(s->ops->revert || committed);
                }
        }
}

static void check_plan(const Plan *p)
{
        _cleanup_(plan_freep) Plan *again = NULL;
        _cleanup_(freep) char *text = NULL, *json = NULL;

        check_contract(p);
        if (plan_print(p, &text) < 0) /* a line became too long */
                return;
        fuzz_assert(plan_parse(text, policy_find_step, &again, NULL) == 0);
        fuzz_assert(streq(again->id, p->id));
        fuzz_assert(plan_print_json(p, &json) == 0);
        fuzz_assert_json(json);
}

static void decide(const Config *c, Graph *g, const Request *req)
{
        _cleanup_(verdict_freep) Verdict *v = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        Failure f = { 0 };
        int r = policy_decide(c, g, req, &v, &f);

        if (r < 0) {
                fuzz_assert_failure(&f);
                return;
        }
        fuzz_assert(v->mode && v->closure);
        fuzz_assert(v->plan ? v->n_blockers == 0 : v->n_blockers > 0);
        for (size_t i = 0; i < v->n_blockers; i++)
                fuzz_assert_failure(&v->blockers[i]);
        if (v->plan)
                check_plan(v->plan);
        if (policy_closure(g, req->target, &names, &f) < 0)
                fuzz_assert_failure(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size);
        _cleanup_(config_freep) Config *c = NULL;
        _cleanup_(request_freep) Request *req = NULL;
        _cleanup_(graph_freep) Graph *g = NULL;
        char *parts[ELEMENTSOF(sections)];
        unsigned line;

        if (!split(text, parts))
                return 0;
        c = load_config(parts[0]);
        req = load_request(parts[1]);
        if (c && req && graph_parse(parts[2], &g, &line) == 0)
                decide(c, g, req);
        return 0;
}
