/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One rung of DrainSignals=: its signal to who holds the target when its turn comes, then waits
 * until nobody does any more, for the time of the rung at most. Who has let go is left alone, also
 * if it lives on. Who is still there then is no failure of this step: whether it matters, the
 * unmount asks the kernel. */

#include <signal.h>

#include "plan.h"
#include "step/common.h"

static int signal_apply(const Step *s, Run *run, Failure *f)
{
        _cleanup_(victims_done) Victims v = { 0 };
        uint64_t deadline;
        int sig, r;

        r = parse_signal(strempty(step_get(s, "signal")), &sig);
        if (r == 0 && step_get(s, "newcomers") && !run_only_planned(run))
                r = MIN_OF(step_find_newcomers(run, s, step_get(s, "devs"), f), 0);
        if (r == 0)
                r = victims_open(run, NULL, &v);
        if (r == 0)
                r = victims_look(run, s, &v);
        deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        if (r == 0)
                r = victims_signal(run, &v, sig,
                        sig == SIGKILL ? "still held the target at this rung of DrainSignals="
                                       : "asked to leave");
        if (r == 0)
                r = victims_wait(run, s, &v, sig != SIGKILL, deadline, f);
        return MIN_OF(r, 0);
}

/* Nobody can be called back; what they held is as it was. */
static int signal_revert(const Step *s, Run *run, Failure *f)
{
        return 0;
}

const StepOps step_signal = {
        .name = "signal",
        .title = "asking processes to leave",
        .apply = signal_apply,
        .revert = signal_revert,
};
