/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One leg is taken out of an array that can do without it; nobody above notices. On the way back it
 * is added again, and the array synchronises it by itself: with a write-intent bitmap quickly. */

#include "step/common.h"
#include "sys/blkid.h"
#include "sys/child.h"
#include "sys/md.h"
#include "sys/sysfs.h"

static const char *array_of(const Step *s)
{
        return strempty(step_get(s, "array"));
}

static const char *disk_of(const Step *s)
{
        return strempty(step_get(s, "disk"));
}

/* --- is it the one, and can it go? --- */

/* -ENOENT: not a leg any more. -ESTALE: array or leg are others by now. */
static int read_leg(const Step *s, MdLeg *ret)
{
        _cleanup_(freep) char *sysfs = string_printf("/sys/class/block/%s", array_of(s));
        dev_t dev;
        int r;

        if (!sysfs)
                return -ENOMEM;
        r = md_read_leg(array_of(s), disk_of(s), ret);
        if (r < 0)
                return r;
        r = sysfs_devnum(sysfs, &dev);
        if (r < 0)
                return r;
        return dev == step_get_dev(s, "array-dev") ? 0 : -ESTALE;
}

/* raid5 gives its array up when a leg too many is failed (md_error(), 6.1 and later), so this is
 * asked once more at the last moment. */
static int check_redundancy(const Step *s, const MdLeg *leg, Failure *f)
{
        MdArray a;
        int r;

        if (!strstr(leg->state, "in_sync"))
                return 0;
        r = md_read(array_of(s), &a);
        if (r < 0)
                return r;
        if (a.degraded < step_get_u64(s, "redundancy"))
                return 0;
        return failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s),
                "%s can lose no further leg now (%u missing); mend it and ask again", array_of(s),
                (unsigned)a.degraded);
}

static int leg_check(const Step *s, Run *run, Failure *f)
{
        MdLeg leg;
        int r = read_leg(s, &leg);

        if (r == -ENOENT)
                return 0;
        if (r == -ESTALE || (r == 0 && leg.dev != step_get_dev(s, "dev")))
                return failure_set(f, FAILURE_VANISHED, -ESTALE, step_node(s),
                        "the array or the leg is another one than the plan was made for; look at "
                        "it and ask again");
        return r < 0 ? r : check_redundancy(s, &leg, f);
}

/* --- out --- */

/* A faulty leg can be removed when its last I/O has ended and the array's thread has let go of it;
 * until then it answers EBUSY (state_store(), drivers/md/md.c). */
static int remove_leg(const Step *s)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait") / 2);
        MdLeg leg;
        int r;

        while ((r = md_read_leg(array_of(s), disk_of(s), &leg)) == 0) {
                r = md_set_leg(array_of(s), disk_of(s), "remove");
                if (r < 0 && r != -EBUSY && r != -ENOENT && r != -ENODEV)
                        return r;
                if (now_usec() >= deadline)
                        return -EBUSY;
                pause_usec(50 * USEC_PER_MSEC);
        }
        return r == -ENOENT || r == -ENODEV ? 0 : r;
}

static int remove_in_child(void *arg)
{
        const Step *s = arg;
        MdLeg leg;
        int r = md_read_leg(array_of(s), disk_of(s), &leg);

        if (r == 0 && strstr(leg.state, "in_sync"))
                r = md_set_leg(array_of(s), disk_of(s), "faulty");
        if (r < 0)
                return r == -ENOENT || r == -ENODEV ? 0 : r;
        return remove_leg(s);
}

static int leg_apply(const Step *s, Run *run, Failure *f)
{
        int r = leg_check(s, run, f);

        if (r < 0)
                return r;
        r = step_call(s, run, remove_in_child, f);
        if (r == -EBUSY)
                return failure_set(f, FAILURE_BUSY, r, step_node(s),
                        "%s does not let go of it; the kernel's log and /proc/mdstat say more",
                        array_of(s));
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "%s does not answer; it waits for I/O that does not end", array_of(s));
        return r;
}

/* --- and in again --- */

/* mdadm --add would write over whatever another disk of this name holds. */
static int is_same_disk(const Step *s)
{
        _cleanup_(freep) char *devnode = string_printf("/dev/%s", disk_of(s));
        BlkidInfo info = { 0 };
        int r;

        if (!devnode)
                return -ENOMEM;
        r = blkid_ask(devnode, &info);
        if (r < 0)
                return r;
        return streq(info.type, "linux_raid_member") &&
                               streq(info.uuid, strempty(step_get(s, "array-uuid")))
                       ? 0
                       : -ESTALE;
}

static int add_again(const Step *s)
{
        _cleanup_(freep) char *array = string_printf("/dev/%s", array_of(s));
        _cleanup_(freep) char *disk = string_printf("/dev/%s", disk_of(s));
        uint64_t wait = step_get_u64(s, "wait");
        int r;

        if (!array || !disk)
                return -ENOMEM;
        r = is_same_disk(s);
        if (r < 0)
                return r;
        r = md_tool((const char *const[]){ "--manage", array, "--re-add", disk, NULL }, wait);
        if (r == 0)
                return 0;
        return md_tool((const char *const[]){ "--manage", array, "--add", disk, NULL }, wait);
}

/* 1: it is a leg again. udev's rules (mdadm --incremental) may have been faster. */
static int is_back(const Step *s)
{
        MdLeg leg;
        MdArray a;
        int r = md_read(array_of(s), &a);

        if (r < 0)
                return r == -ENOENT ? -ESTALE : r;
        r = read_leg(s, &leg);
        if (r == -ENOENT)
                return 0;
        if (r < 0 || !strstr(leg.state, "faulty"))
                return r < 0 ? r : 1;
        return child_call(remove_in_child, (void *)s, step_get_u64(s, "wait"), -EBADF);
}

static int leg_revert(const Step *s, Run *run, Failure *f)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        bool added = false;
        int r;

        while ((r = is_back(s)) == 0 && now_usec() < deadline) {
                added = true;
                r = add_again(s);
                if (r == -ESTALE)
                        break;
                pause_usec(50 * USEC_PER_MSEC);
        }
        if (r == 1 && added)
                run_progress(run, s, "%s synchronises its leg %s again by itself", array_of(s),
                        disk_of(s));
        if (r == 1)
                return 0;
        return failure_set(f, FAILURE_ROLLBACK_FAILED, r < 0 ? r : -ETIMEDOUT, step_node(s),
                r == -ESTALE ? "is not added again: %s or the disk is another one by now; compare "
                               "them (mdadm --examine /dev/%s)"
                             : "could not be added again; by hand: mdadm --manage /dev/%s --add "
                               "/dev/%s",
                array_of(s), disk_of(s));
}

const StepOps step_leg = {
        .name = "leg",
        .title = "taking out",
        .check = leg_check,
        .apply = leg_apply,
        .revert = leg_revert,
};
