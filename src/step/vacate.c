/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device-dax has no filesystem that could say EBUSY and no exclusive open: that nobody has it open
 * or mapped any more is known only by looking at every process, by the device number of the node,
 * since a container has a node of its own. It is looked again as late as possible, because nothing
 * keeps new ones out. Who came in between gets SIGBUS at its next access (dev_dax_fault(),
 * drivers/dax/device.c); what he pinned would oops when it is let go (kernel-facts 2.6). */

#include "step/common.h"
#include "sys/sysfs.h"

#define AGAIN_USEC (100 * USEC_PER_MSEC)

static int vacate_check(const Step *s, Run *run, Failure *f)
{
        char path[128];
        dev_t dev;

        (void)snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s", step_node(s));
        if (sysfs_devnum(path, &dev) < 0 || dev != step_get_dev(s, "nodes"))
                return failure_set(f, FAILURE_VANISHED, -ESTALE, step_node(s),
                        "it is gone or another device by now; look at it and ask again");
        return 0;
}

static int still_used(const Step *s, Run *run, Failure *f)
{
        char names[512] = "";

        if (!run_can_climb(run) &&
                step_find_users(run, step_get(s, "nodes"), names, sizeof(names)) < 0)
                *names = '\0';
        return failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s),
                "it is still open or mapped%s%s; stop who uses it and ask again",
                *names ? " by " : "", names);
}

static int vacate_apply(const Step *s, Run *run, Failure *f)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        int r = vacate_check(s, run, f);

        while (r == 0) {
                r = step_find_users(run, step_get(s, "nodes"), NULL, 0);
                if (r <= 0)
                        return r;
                if (now_usec() >= deadline)
                        return still_used(s, run, f);
                r = run_check_cancel(run, f);
                pause_usec(AGAIN_USEC);
        }
        return r;
}

/* It only looked. */
static int vacate_revert(const Step *s, Run *run, Failure *f)
{
        return 0;
}

const StepOps step_vacate = {
        .name = "vacate",
        .title = "looking for users of",
        .check = vacate_check,
        .apply = vacate_apply,
        .revert = vacate_revert,
};
