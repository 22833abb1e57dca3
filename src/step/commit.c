/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commit point of the forced road: the next write kills processes and shuts the filesystem
 * down, so from here the run only goes forward. */

#include "plan.h"
#include "step/freeze.h"
#include "step/vanished.h"

/* The last look before it: nothing was thawed meanwhile. */
static int check_frozen(const Run *run, Failure *f)
{
        const Plan *p = run_plan_of(run);
        int r = 0;

        for (size_t i = 0; i < p->n_steps && r == 0; i++)
                if (p->steps[i].ops == &step_freeze && freeze_held(run, step_node(&p->steps[i])))
                        r = freeze_check(run, step_node(&p->steps[i]), f);
        return r;
}

static int commit_apply(const Step *s, Run *run, Failure *f)
{
        int r;

        /* An event may come later than we are here. */
        if (vanished_look(run)) {
                vanished_tell(run, f);
                return -ENODEV;
        }
        r = check_frozen(run, f);
        return r < 0 ? r : run_note(run, "committed", NULL, NULL);
}

const StepOps step_commit = {
        .name = "commit",
        .title = "passing the point of no return",
        .apply = commit_apply,
        .revert = NULL,
};
