/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The last rung: LastSignal= to everybody who still holds the target, and to who came since, until
 * the kernel says that the mounts are free. Each wave ends with that question (umount's
 * MNT_EXPIRE, which answers without changing anything) before newcomers are looked for: a scan
 * takes a hundred times longer, and the unmount that follows must come at once. */

#include <signal.h>

#include "plan.h"
#include "step/common.h"

#define WAVES 5

static int wave(const Step *s, Run *run, uint64_t deadline, Failure *f)
{
        _cleanup_(victims_done) Victims v = { 0 };
        char names[256];
        int sig, r;

        r = parse_signal(strempty(step_get(s, "signal")), &sig);
        if (r == 0)
                r = victims_open(run, NULL, &v);
        if (r == 0)
                r = victims_look(run, s, &v);
        if (r == 0)
                r = victims_signal(run, &v, sig, "still held the target after the drain");
        if (r == 0)
                r = victims_wait(run, s, &v, sig != SIGKILL, deadline, f);
        if (r > 0)
                return failure_set(f, FAILURE_TIMED_OUT, -ETIMEDOUT, step_node(s),
                        "%s did not die in KillTimeout=; a process in state D waits for the "
                        "kernel, "
                        "look at /proc/PID/stack",
                        victims_names(&v, names, sizeof(names)));
        return r;
}

/* Are the mounts this plan will unmount still in use? Those that are gone are not. Of a character
 * device the kernel cannot be asked. */
static bool still_held(const Step *s, Run *run)
{
        const Plan *p = run_plan_of(run);

        if (step_get(s, "nodes"))
                return true;

        for (size_t i = 0; i < p->n_steps; i++) {
                MountPlace place;

                if (p->steps[i].ops != &step_unmount)
                        continue;
                step_place(&p->steps[i], &place);
                if (mounts_busy(&place) == 1)
                        return true;
        }
        return false;
}

static int kill_apply(const Step *s, Run *run, Failure *f)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        bool only_planned = run_only_planned(run);
        int r = wave(s, run, deadline, f);

        for (int i = 1; i < WAVES && r == 0 && !only_planned && still_held(s, run); i++) {
                r = step_find_newcomers(run, s, step_get(s, "devs"), f);
                if (r <= 0)
                        return r;
                r = wave(s, run, deadline, f);
        }
        return r;
}

/* The dead stay dead; what they held is as it was. */
static int kill_revert(const Step *s, Run *run, Failure *f)
{
        return 0;
}

const StepOps step_kill = {
        .name = "kill",
        .title = "killing who stayed",
        .apply = kill_apply,
        .revert = kill_revert,
};
