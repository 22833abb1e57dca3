/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells a hook of the site that the device is gone. By then that has been read back from the
 * kernel, and an unbind that did not fail has left nothing frozen. Whoever is told so must not hear
 * afterwards that it was undone, so from here on the run only goes forward. */

#include "step/hook.h"

static void tell(const Step *s, Run *run)
{
        char text[1024];
        Failure f = { 0 };
        HookAnswer a;
        const char *problem = NULL;

        if (hook_run(s, run, "done", -EBADF, &a, &f) < 0)
                problem = f.kind ? failure_text(&f, text, sizeof(text)) : "it could not be run";
        else
                problem = hook_problem(&a, text, sizeof(text));
        if (problem)
                hook_warn(s, run, "done", problem);
}

static int done_apply(const Step *s, Run *run, Failure *f)
{
        int r = run_commit(run);

        if (r < 0)
                return r;
        if (hook_stop(s, run, "done"))
                hook_warn(s, run, "done", "it was cut short by the death of the worker");
        if (hook_began(s, run, "done"))
                return 0;
        if (run_failed(run))
                hook_warn(s, run, "done", "not told, because the device is removed only in part");
        else
                tell(s, run);
        return 0;
}

const StepOps step_done = {
        .name = "done",
        .title = "telling the hook",
        .apply = done_apply,
        .revert = NULL,
};
