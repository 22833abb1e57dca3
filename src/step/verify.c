/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The truth is read back from sysfs and mountinfo, not taken from what the steps returned. */

#include "step/freeze.h"
#include "step/step.h"
#include "sys/bind.h"
#include "sys/mounts.h"
#include "sys/sysfs.h"
#include "util/text.h"

/* Calls fn for each word of a key; the first failure ends it. */
static int each_word(const Step *s, const char *key, const Run *run,
        int (*fn)(const char *, const Run *, Failure *), Failure *f)
{
        _cleanup_(strv_freep) char **words = NULL;
        int r = strv_split(strempty(step_get(s, key)), &words);

        for (char **w = words; w && *w && r == 0; w++)
                r = fn(*w, run, f);
        return r;
}

static int device_is_unbound(const char *device, const Run *run, Failure *f)
{
        char driver[64];
        int r = bind_driver(device, driver, sizeof(driver));

        if (r == -ENOENT)
                return 0;
        return failure_set(f, FAILURE_FAILED, -EBUSY, device,
                "it is bound to %s, after all that was done",
                r == 0 ? driver : "an unknown driver");
}

static int chardev_is_gone(const char *name, const Run *run, Failure *f)
{
        _cleanup_(freep) char *path = string_printf("/sys/bus/dax/devices/%s", name);

        if (!path)
                return -ENOMEM;
        return access(path, F_OK) < 0 ? 0
                                      : failure_set(f, FAILURE_FAILED, -EBUSY, name,
                                                "%s is still there, after all that was done", path);
}

static int disk_is_still_there(const char *disk, const char *path, const Run *run, Failure *f)
{
        /* Emergency thaw: do_thaw_all(), fs/super.c. */
        if (freeze_outlived(run, disk))
                return failure_set(f, FAILURE_FAILED, -EBUSY, disk,
                        "%s is still there: its filesystem stays frozen, for the worker and the "
                        "guardian were killed together before they could thaw it; echo j "
                        ">/proc/sysrq-trigger thaws it, and all else that is frozen",
                        path);
        return failure_set(f, FAILURE_FAILED, -EBUSY, disk,
                "%s is still there: something that no process shows holds it", path);
}

static int disk_is_gone(const char *disk, const Run *run, Failure *f)
{
        /* Present as long as a superblock lives, mounted or not. */
        static const char *const witnesses[] = { "/sys/class/block/%s", "/sys/fs/xfs/%s",
                "/sys/fs/ext4/%s" };

        for (size_t i = 0; i < ELEMENTSOF(witnesses); i++) {
                _cleanup_(freep) char *path = string_printf(witnesses[i], disk);

                if (!path)
                        return -ENOMEM;
                if (access(path, F_OK) == 0)
                        return disk_is_still_there(disk, path, run, f);
        }
        return 0;
}

static int device_is_unmounted(const char *devnum, const Run *run, Failure *f)
{
        dev_t dev;
        int r = parse_devnum(devnum, &dev);

        if (r == 0)
                r = mounts_any(dev);
        if (r > 0)
                return failure_set(
                        f, FAILURE_FAILED, -EBUSY, devnum, "a mount of it is still there");
        return r;
}

static int verify_apply(const Step *s, Run *run, Failure *f)
{
        int r = each_word(s, "devices", run, device_is_unbound, f);

        if (r == 0)
                r = each_word(s, "disks", run, disk_is_gone, f);
        if (r == 0)
                r = each_word(s, "chardevs", run, chardev_is_gone, f);
        if (r == 0)
                r = each_word(s, "devs", run, device_is_unmounted, f);
        return r;
}

static int verify_revert(const Step *s, Run *run, Failure *f)
{
        return 0;
}

const StepOps step_verify = {
        .name = "verify",
        .title = "verifying the removal of",
        .apply = verify_apply,
        .revert = verify_revert,
};
