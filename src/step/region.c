/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Disables one region by taking its driver off. The kernel would unbind every namespace on it
 * without a question (nd_region_remove, drivers/nvdimm/region.c), so that nothing is left is asked
 * here. */

#include "step/common.h"
#include "sys/bind.h"
#include "sys/sysfs.h"

static bool is_disabled(const Step *s)
{
        char driver[64];

        return bind_driver(step_node(s), driver, sizeof(driver)) == -ENOENT;
}

/* A namespace, pfn, btt or dax below the region that still has a driver. */
static bool has_live_child(const Step *s, char *name, size_t size)
{
        _cleanup_(strv_freep) char **children = NULL;
        char dir[128], driver[64];

        (void)snprintf(dir, sizeof(dir), "/sys/bus/nd/devices/%s", step_node(s));
        if (sysfs_list(dir, &children) < 0)
                return true;
        for (char **c = children; c && *c; c++) {
                if (!strchr(*c, '.') || bind_driver(*c, driver, sizeof(driver)) < 0)
                        continue;
                (void)snprintf(name, size, "%s", *c);
                return true;
        }
        return false;
}

static int detach_in_child(void *arg)
{
        const Step *s = arg;

        return bind_detach(step_get(s, "driver"), step_node(s));
}

static int region_apply(const Step *s, Run *run, Failure *f)
{
        char child[64] = "something";
        int r;

        if (is_disabled(s))
                return 0;
        if (has_live_child(s, child, sizeof(child)))
                return failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s),
                        "%s on it is active; it came since the plan was made", child);
        /* What somebody else has disabled is not enabled again. */
        r = run_note(run, "disabling", step_node(s), NULL);
        if (r == 0)
                r = step_call(s, run, detach_in_child, f);
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "the unbind took longer than UnbindTimeout=");
        if (r < 0)
                return r;
        return is_disabled(s) ? 0
                              : failure_set(f, FAILURE_FAILED, -EBUSY, step_node(s),
                                        "it still has a driver after the unbind");
}

static int region_revert(const Step *s, Run *run, Failure *f)
{
        int r;

        if (!is_disabled(s) || (!run_recall(run, "disabling", step_node(s)) && !run_is_old(run)))
                return 0;
        r = bind_attach(strempty(step_get(s, "driver")), step_node(s));
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "could not be enabled again: %s; try ndctl enable-region %s", strerror(-r),
                        step_node(s));
        return 0;
}

const StepOps step_region = {
        .name = "region",
        .title = "disabling",
        .apply = region_apply,
        .revert = region_revert,
};
