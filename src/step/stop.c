/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One array without redundancy is stopped when nobody uses it any more, and assembled from the same
 * legs on the way back. */

#include "step/common.h"
#include "sys/blkid.h"
#include "sys/child.h"
#include "sys/md.h"
#include "sys/sysfs.h"

/* udev's rules open a device for a moment whenever somebody who could write has closed it. */
#define BUSY_USEC (5 * USEC_PER_SEC)
#define LEGS_MAX 48

static bool is_known_leg(const Step *s, const char *leg)
{
        _cleanup_(strv_freep) char **members = NULL;

        return strv_split(strempty(step_get(s, "members")), &members) == 0 &&
               strv_contains(members, leg);
}

/* The same legs, all of them, and running. -ENOENT: there is none of this name. */
static int read_array(const Step *s, const char *array)
{
        _cleanup_(strv_freep) char **legs = NULL, **members = NULL;
        MdArray a;
        int r = md_read(array, &a);

        if (r == 0)
                r = md_legs(array, &legs);
        if (r == 0)
                r = strv_split(strempty(step_get(s, "members")), &members);
        if (r < 0)
                return r;
        for (char **leg = legs; leg && *leg; leg++)
                if (!is_known_leg(s, *leg))
                        return -ESTALE;
        return strv_length(legs) == strv_length(members) &&
                               streq(a.level, strempty(step_get(s, "level"))) &&
                               !streq(a.state, "inactive")
                       ? 0
                       : -EAGAIN;
}

static int stop_check(const Step *s, Run *run, Failure *f)
{
        int r = read_array(s, step_node(s));

        if (r == 0 || r == -ENOENT)
                return 0;
        return failure_set(f, FAILURE_VANISHED, -ESTALE, step_node(s),
                "the array has other legs than the plan was made for, or another state; look at it "
                "and ask again");
}

/* --- stop --- */

static int stop_in_child(void *arg)
{
        uint64_t deadline = usec_add(now_usec(), BUSY_USEC);
        const Step *s = arg;
        int r;

        while ((r = md_stop(step_node(s), step_get_dev(s, "dev"))) == -EBUSY &&
                now_usec() < deadline)
                pause_usec(50 * USEC_PER_MSEC);
        return r;
}

/* The ioctl comes back before the legs are let go of: the last close of the array does that. */
static int wait_gone(const Step *s)
{
        uint64_t deadline = usec_add(now_usec(), BUSY_USEC);
        int r;

        while ((r = read_array(s, step_node(s))) != -ENOENT && now_usec() < deadline)
                pause_usec(50 * USEC_PER_MSEC);
        return r == -ENOENT ? 0 : -EBUSY;
}

static int stop_apply(const Step *s, Run *run, Failure *f)
{
        int r = stop_check(s, run, f);

        if (r < 0 || read_array(s, step_node(s)) == -ENOENT)
                return r;
        r = step_call(s, run, stop_in_child, f);
        if (r == 0)
                r = wait_gone(s);
        if (r == -EBUSY)
                return step_still_open(s, run, f);
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "its stop did not come back; it waits for I/O that does not end");
        return r;
}

/* --- and again --- */

static int is_same_leg(const Step *s, const char *leg)
{
        _cleanup_(freep) char *devnode = string_printf("/dev/%s", leg);
        BlkidInfo info = { 0 };
        int r = devnode ? blkid_ask(devnode, &info) : -ENOMEM;

        if (r < 0)
                return r;
        return streq(info.uuid, strempty(step_get(s, "array-uuid"))) ? 0 : -ESTALE;
}

/* udev's rules (mdadm --incremental) put what comes back together by themselves, leg by leg and
 * sometimes under a name of their own. Stopped, it can be assembled under its own; one that is in
 * use says no. */
static int stop_other(const Step *s, const char *leg)
{
        _cleanup_(freep) char *dir = string_printf("/sys/class/block/%s/holders", leg);
        _cleanup_(strv_freep) char **names = NULL;
        int r = dir ? sysfs_list(dir, &names) : -ENOMEM;

        for (char **name = names; name && *name && r == 0; name++) {
                _cleanup_(freep) char *devnode = string_printf("/dev/%s", *name);

                if (!devnode)
                        return -ENOMEM;
                if (strncmp(*name, "md", 2) == 0)
                        r = md_tool((const char *const[]){ "--stop", devnode, NULL },
                                step_get_u64(s, "wait"));
        }
        return r;
}

static int prepare_legs(const Step *s, char **members)
{
        int r = 0;

        for (char **leg = members; leg && *leg && r == 0; leg++) {
                r = is_same_leg(s, *leg);
                if (r == 0)
                        r = stop_other(s, *leg);
        }
        return r;
}

static int assemble(const Step *s, char **members)
{
        _cleanup_(freep) char *array = string_printf("/dev/%s", step_node(s));
        _cleanup_(freep) char *uuid =
                string_printf("--uuid=%s", strempty(step_get(s, "array-uuid")));
        const char *args[LEGS_MAX + 4] = { "--assemble", array, uuid };
        _cleanup_(strv_freep) char **devnodes = NULL;
        int r = array && uuid ? 0 : -ENOMEM;

        for (char **leg = members; leg && *leg && r == 0; leg++) {
                _cleanup_(freep) char *devnode = string_printf("/dev/%s", *leg);

                r = devnode ? strv_append(&devnodes, devnode) : -ENOMEM;
        }
        if (r == 0 && strv_length(devnodes) > LEGS_MAX)
                r = -E2BIG;
        if (r == 0)
                r = md_make(step_node(s));
        for (size_t i = 0; r == 0 && devnodes && devnodes[i]; i++)
                args[3 + i] = devnodes[i];
        return r < 0 ? r : md_tool(args, step_get_u64(s, "wait"));
}

static int try_again(const Step *s)
{
        _cleanup_(strv_freep) char **members = NULL;
        int r = strv_split(strempty(step_get(s, "members")), &members);

        if (r == 0)
                r = prepare_legs(s, members);
        return r < 0 ? r : assemble(s, members);
}

static int stop_revert(const Step *s, Run *run, Failure *f)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        int r, e = 0;

        while ((r = read_array(s, step_node(s))) != 0 && r != -ESTALE && e != -ESTALE &&
                now_usec() < deadline) {
                e = try_again(s);
                if (e != 0)
                        pause_usec(50 * USEC_PER_MSEC);
        }
        if (r == 0)
                return 0;
        return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                "could not be assembled again%s; by hand: mdadm --assemble /dev/%s --uuid=%s",
                r == -ESTALE || e == -ESTALE ? ", a leg or the array is another one by now" : "",
                step_node(s), strempty(step_get(s, "array-uuid")));
}

const StepOps step_stop = {
        .name = "stop",
        .title = "stopping",
        .check = stop_check,
        .apply = stop_apply,
        .revert = stop_revert,
};
