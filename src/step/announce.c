/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells everybody that a removal begins, and gives time to those who asked for it. Only the daemon
 * owns the bus name and knows the inhibitors, so all that happens here is a note: the daemon emits
 * PrepareForRemoval when it hears it (and the opposite when it hears of the way back), and says
 * "proceed" as soon as no delay inhibitor concerns this removal any more.
 *
 * This wait is the one that goes on when its time is over: a delay inhibitor asks for time and
 * cannot forbid anything. Whoever must not be overrun takes one of mode block. */

#include "step/step.h"
#include "util/text.h"

/* A daemon that takes longer is in trouble of its own. */
#define ANSWER_USEC (5 * USEC_PER_SEC)

/* The daemon answers this note with "proceed", unless it has just said so: either way the word has
 * come before the next step begins, whose waits would take it for a cancel. */
static int go_on_without(Run *run, Failure *f)
{
        int r = run_note(run, "delay-over", NULL, "how", "timed-out", NULL);

        if (r == 0)
                r = run_wait_proceed(run, usec_add(now_usec(), ANSWER_USEC), f);
        return r == -ETIMEDOUT || r == -ENOTCONN ? 0 : r;
}

static int announce_apply(const Step *s, Run *run, Failure *f)
{
        uint64_t wait = step_get_u64(s, "wait");
        int r;

        r = run_note(run, "announce", NULL, NULL);
        if (r < 0 || wait == 0)
                return r;
        r = run_wait_proceed(run, usec_add(now_usec(), wait), f);
        if (r == -ETIMEDOUT)
                return go_on_without(run, f);
        if (r == -ENOTCONN)
                return 0;
        return r < 0 ? r : run_note(run, "delay-over", NULL, "how", "released", NULL);
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
