/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lets a hook of the site make ready what only the site knows, and on the way back undo that. What
 * prepares may fail but not refuse; what undoes can stop nothing, it is told about. */

#include "step/hook.h"

static int prepare_apply(const Step *s, Run *run, Failure *f)
{
        const char *problem;
        char text[1024];
        HookAnswer a;
        int r = hook_run(s, run, "prepare", run_cancel_fd(run), &a, f);

        if (r == 0)
                r = run_check_cancel(run, f);
        if (r < 0)
                return r;
        problem = hook_problem(&a, text, sizeof(text));
        return problem ? failure_set(f, FAILURE_FAILED, 0, step_node(s),
                                 "the hook could not prepare the removal: %s", problem)
                       : 0;
}

static void undo(const Step *s, Run *run)
{
        char text[1024];
        Failure f = { 0 };
        HookAnswer a;
        const char *problem = NULL;

        if (hook_run(s, run, "undo", -EBADF, &a, &f) < 0)
                problem = f.kind ? failure_text(&f, text, sizeof(text)) : "it could not be run";
        else
                problem = hook_problem(&a, text, sizeof(text));
        if (problem)
                hook_warn(s, run, "undo", problem);
}

/* Every freeze was reverted before this, unless a thaw failed; and a hook that meets a frozen
 * filesystem would wait until it is killed. */
static int prepare_revert(const Step *s, Run *run, Failure *f)
{
        if (!hook_began(s, run, "prepare"))
                return 0;
        (void)hook_stop(s, run, "prepare");
        if (hook_stop(s, run, "undo"))
                hook_warn(s, run, "undo", "it was cut short by the death of the worker");
        if (hook_began(s, run, "undo"))
                return 0;
        if (run_stands(run, "freeze"))
                hook_warn(s, run, "undo", "not run, because a filesystem is still frozen");
        else
                undo(s, run);
        return 0;
}

const StepOps step_prepare = {
        .name = "prepare",
        .title = "preparing with the hook",
        .apply = prepare_apply,
        .revert = prepare_revert,
};
