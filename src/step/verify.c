/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The truth is read back from sysfs and mountinfo, not taken from what the steps returned. */

#include "step/step.h"
#include "sys/bind.h"
#include "sys/mounts.h"
#include "sys/sysfs.h"
#include "util/text.h"

/* Calls fn for each word of a key; the first failure ends it. */
static int each_word(const Step *s, const char *key, int (*fn)(const char *, Failure *), Failure *f)
{
        _cleanup_(strv_freep) char **words = NULL;
        int r = strv_split(strempty(step_get(s, key)), &words);

        for (char **w = words; w && *w && r == 0; w++)
                r = fn(*w, f);
        return r;
}

static int device_is_unbound(const char *device, Failure *f)
{
        char driver[64];
        int r = bind_driver(device, driver, sizeof(driver));

        if (r == -ENOENT)
                return 0;
        return failure_set(f, FAILURE_FAILED, -EBUSY, device,
                "it is bound to %s, after all that was done",
                r == 0 ? driver : "an unknown driver");
}

static int chardev_is_gone(const char *name, Failure *f)
{
        _cleanup_(freep) char *path = string_printf("/sys/bus/dax/devices/%s", name);

        if (!path)
                return -ENOMEM;
        return access(path, F_OK) < 0 ? 0
                                      : failure_set(f, FAILURE_FAILED, -EBUSY, name,
                                                "%s is still there, after all that was done", path);
}

static int disk_is_gone(const char *disk, Failure *f)
{
        /* Present as long as a superblock lives, mounted or not. */
        static const char *const witnesses[] = { "/sys/class/block/%s", "/sys/fs/xfs/%s",
                "/sys/fs/ext4/%s" };

        for (size_t i = 0; i < ELEMENTSOF(witnesses); i++) {
                _cleanup_(freep) char *path = string_printf(witnesses[i], disk);

                if (!path)
                        return -ENOMEM;
                if (access(path, F_OK) == 0)
                        return failure_set(f, FAILURE_FAILED, -EBUSY, disk,
                                "%s is still there: something that no process shows holds it",
                                path);
        }
        return 0;
}

static int device_is_unmounted(const char *devnum, Failure *f)
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
        int r = each_word(s, "devices", device_is_unbound, f);

        if (r == 0)
                r = each_word(s, "disks", disk_is_gone, f);
        if (r == 0)
                r = each_word(s, "chardevs", chardev_is_gone, f);
        if (r == 0)
                r = each_word(s, "devs", device_is_unmounted, f);
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
