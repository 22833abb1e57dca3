/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells a hook of the site that the device is gone. By then that has been read back from the
 * kernel, and an unbind that did not fail has left nothing frozen. Whoever is told so must not hear
 * afterwards that it was undone, so from here on the run only goes forward. */

#include "step/hook.h"

static int done_apply(const Step *s, Run *run, Failure *f)
{
        int r = run_commit(run);

        if (r < 0)
                return r;
        hook_tell(s, run, "done",
                run_failed(run) ? "not told, because the device is removed only in part" : NULL);
        return 0;
}

const StepOps step_done = {
        .name = "done",
        .title = "telling the hook",
        .apply = done_apply,
        .revert = NULL,
};
