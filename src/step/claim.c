/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The proof that nobody is left: the whole disk opened exclusively. It also keeps new ones out
 * until the device is gone. */

#include "step/claim.h"

#include "step/common.h"
#include "sys/claim.h"
#include "sys/superblock.h"

static int ghost(const Superblock *sb, const char *names, Failure *f)
{
        return failure_set(f, FAILURE_BUSY, -EBUSY, sb->device,
                "a superblock of %s is still alive although nothing is mounted: a lazily unmounted "
                "filesystem with users%s%s%s, or one that was unmounted while it was frozen; stop "
                "them, or mount /dev/%s again, thaw it (fsfreeze -u) and unmount it; then ask "
                "again",
                sb->type, *names ? " (" : "", names, *names ? ")" : "", sb->device);
}

int claim_disk(Run *run, const char *disk, dev_t dev, const char *devs, Failure *f)
{
        char devnode[80], names[512] = "";
        Superblock sb;
        int fd, r;

        (void)snprintf(devnode, sizeof(devnode), "/dev/%s", disk);
        fd = claim_open(devnode, dev);
        if (fd >= 0) {
                r = run_hold(run, "claim", disk, fd);
                /* Nobody would find it to let go: what is mounted again on the way back is busy. */
                if (r < 0)
                        (void)safe_close(fd);
                return r;
        }
        if (fd == -ESTALE || fd == -ENOENT || fd == -ENXIO)
                return failure_set(f, FAILURE_VANISHED, fd, disk,
                        "the disk is gone or another one by now; look at it and ask again");
        if (fd != -EBUSY)
                return fd;
        if (run_can_climb(run))
                return failure_set(f, FAILURE_BUSY, fd, disk, "it is still in use");
        step_name_holders(run, devs, names, sizeof(names));
        if (superblock_find_ghost(disk, &sb) > 0)
                return ghost(&sb, names, f);
        return failure_set(f, FAILURE_BUSY, fd, disk, "it is still held by %s",
                *names ? names
                       : "something that neither a process nor a mount shows: a stacked device, a "
                         "detached mount, an exclusive opener");
}

bool claim_disk_exists(const char *disk)
{
        _cleanup_(freep) char *path = string_printf("/sys/class/block/%s", disk);

        return path && access(path, F_OK) == 0;
}

static int claim_apply(const Step *s, Run *run, Failure *f)
{
        return claim_disk(run, step_node(s), step_get_dev(s, "dev"), step_get(s, "dev"), f);
}

static int claim_revert(const Step *s, Run *run, Failure *f)
{
        run_drop(run, "claim", step_node(s));
        return 0;
}

static bool claim_wanted(const Step *s)
{
        return claim_disk_exists(step_node(s));
}

const StepOps step_claim = {
        .name = "claim",
        .title = "claiming",
        .apply = claim_apply,
        .revert = claim_revert,
        .wanted = claim_wanted,
};
