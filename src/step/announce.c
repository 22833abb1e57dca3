/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells everybody that a removal begins. Only the daemon owns the bus name, so this note is all
 * that happens here: the daemon emits PrepareForRemoval when it hears it, and the opposite when it
 * hears of the way back. */

#include "step/step.h"

static int announce_apply(const Step *s, Run *run, Failure *f)
{
        return run_note(run, "announce", NULL, NULL);
}

/* The daemon calls off by itself on every way back. */
static int announce_revert(const Step *s, Run *run, Failure *f)
{
        return 0;
}

const StepOps step_announce = {
        .name = "announce",
        .title = "announcing the removal",
        .apply = announce_apply,
        .revert = announce_revert,
};
