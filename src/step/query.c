/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks a hook of the site before anybody is disturbed. After a first no the others are asked all
 * the same, so that one answer names everybody who is against it. */

#include "plan.h"
#include "step/hook.h"

/* 1: it says no. */
static int ask(const Step *s, Run *run, HookAnswer *a, Failure *f)
{
        char text[1024];
        const char *problem;
        int r = hook_run(s, run, "query", run_cancel_fd(run), a, f);

        if (r == 0)
                r = run_check_cancel(run, f);
        if (r < 0)
                return r;
        if (a->status == HOOK_REFUSED) {
                r = run_note(run, "vetoed", step_node(s), "text",
                        *a->last_line ? a->last_line : "it gave no reason", NULL);
                return r < 0 ? r : 1;
        }
        problem = hook_problem(a, text, sizeof(text));
        return problem ? failure_set(f, FAILURE_FAILED, 0, step_node(s),
                                 "the hook could not be asked: %s", problem)
                       : 0;
}

/* Those after the one that refused first; one that fails now adds nothing. */
static int ask_others(const Step *first, Run *run, char *why, size_t size, Failure *f)
{
        const Plan *p = run_plan_of(run);
        size_t used = strlen(why);
        int r = 0;

        for (size_t i = first->number; i < p->n_steps && r == 0; i++) {
                Failure ignored = { 0 };
                HookAnswer a;

                if (p->steps[i].ops != &step_query)
                        continue;
                if (ask(&p->steps[i], run, &a, &ignored) == 1 && used < size)
                        used += (size_t)snprintf(why + used, size - used, "; and %s says: %s",
                                step_node(&p->steps[i]), a.last_line);
                r = run_check_cancel(run, f);
        }
        return r;
}

static int query_apply(const Step *s, Run *run, Failure *f)
{
        char why[900];
        HookAnswer a;
        int r = ask(s, run, &a, f);

        if (r <= 0)
                return r;
        (void)snprintf(why, sizeof(why), "%s",
                *a.last_line ? a.last_line : "the hook forbids it and gave no reason");
        r = ask_others(s, run, why, sizeof(why), f);
        return r < 0 ? r : failure_set(f, FAILURE_VETOED, 0, step_node(s), "%s", why);
}

/* It was only asked; but a dead worker may have left it, or one that was asked out of turn. */
static int query_revert(const Step *s, Run *run, Failure *f)
{
        const Plan *p = run_plan_of(run);

        for (size_t i = 0; i < p->n_steps; i++)
                if (p->steps[i].ops == &step_query)
                        (void)hook_stop(&p->steps[i], run, "query");
        return 0;
}

const StepOps step_query = {
        .name = "query",
        .title = "asking the hook",
        .apply = query_apply,
        .revert = query_revert,
};
