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

/* Every freeze was reverted before this, unless a thaw failed; and a hook that meets a frozen
 * filesystem would wait until it is killed. */
static int prepare_revert(const Step *s, Run *run, Failure *f)
{
        if (!hook_began(s, run, "prepare"))
                return 0;
        (void)hook_stop(s, run, "prepare");
        hook_tell(s, run, "undo",
                run_stands(run, "freeze") ? "not run, because a filesystem is still frozen" : NULL);
        return 0;
}

const StepOps step_prepare = {
        .name = "prepare",
        .title = "preparing with the hook",
        .apply = prepare_apply,
        .revert = prepare_revert,
};
