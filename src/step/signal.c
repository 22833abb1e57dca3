/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks every process of the plan to leave and waits until all have gone, at most DrainTimeout=. Who
 * is still there then is no failure of this step: whether it matters, the unmount asks the kernel.
 */

#include "plan.h"
#include "step/common.h"

static int signal_apply(const Step *s, Run *run, Failure *f)
{
        _cleanup_(victims_done) Victims v = { 0 };
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        int sig, r;

        r = parse_signal(strempty(step_get(s, "signal")), &sig);
        if (r == 0)
                r = victims_open(run, NULL, &v);
        if (r == 0)
                r = victims_signal(run, &v, sig, "asked to leave");
        if (r == 0)
                r = victims_wait(run, s, &v, deadline, f);
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
