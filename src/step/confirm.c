/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stops with everything drained and nothing frozen until somebody says Confirm. The time for that
 * is the daemon's to keep: it cancels, and a daemon that dies cancels too. */

#include "step/step.h"

static int confirm_apply(const Step *s, Run *run, Failure *f)
{
        int r;

        /* After a climb: who said yes is not asked twice, and nobody would end the daemon's time
         * for the answer. */
        if (run_recall(run, "confirmed", NULL))
                return 0;
        r = run_note(run, "confirm-wanted", NULL, NULL);
        if (r == 0)
                r = run_wait_confirm(run, f);
        return r < 0 ? r : run_note(run, "confirmed", NULL, NULL);
}

static int confirm_revert(const Step *s, Run *run, Failure *f)
{
        return 0;
}

const StepOps step_confirm = {
        .name = "confirm",
        .title = "waiting for confirmation",
        .apply = confirm_apply,
        .revert = confirm_revert,
};
