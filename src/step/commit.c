/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commit point of the forced road: the next write kills processes and shuts the filesystem
 * down, so from here the run only goes forward. */

#include "step/step.h"

static int commit_apply(const Step *s, Run *run, Failure *f)
{
        return run_note(run, "committed", NULL, NULL);
}

const StepOps step_commit = {
        .name = "commit",
        .title = "passing the point of no return",
        .apply = commit_apply,
        .revert = NULL,
};
