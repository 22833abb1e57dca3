/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Unmounts what pre-remove has shut down: it answers EIO to everybody and stands in the way of the
 * device's return. systemd unmounts what fstab named by itself when the device goes; losing that
 * race is success. */

#include "step/common.h"
#include "sys/bind.h"

/* Long enough for the guardian of a dead worker to notice that its time is over and let go of the
 * root directory, and for an open that was under way. */
#define LET_GO_USEC (3 * USEC_PER_SEC)
#define LET_GO_PAUSE_USEC (50 * USEC_PER_MSEC)

static int umount_patiently(const MountPlace *place, uint64_t timeout_usec)
{
        uint64_t until = usec_add(now_usec(), LET_GO_USEC);
        int r;

        while ((r = mounts_umount(place, false, timeout_usec, -EBADF)) == -EBUSY &&
                now_usec() < until)
                pause_usec(LET_GO_PAUSE_USEC);
        return r == -ENOENT || r == -ESTALE || r == -ESRCH ? 0 : r;
}

static int detach_apply(const Step *s, Run *run, Failure *f)
{
        uint64_t wait = step_get_u64(s, "wait");
        MountPlace place;
        char driver[64];
        int r;

        /* Its unbind did not come about: the mount is alive. */
        if (bind_driver(strempty(step_get(s, "device")), driver, sizeof(driver)) == 0)
                return 0;
        step_place(s, &place);
        r = umount_patiently(&place, wait);
        if (r != -EBUSY)
                return r;
        /* Somebody whom no scan showed. Out of the way at least; verify tells if it lives on. */
        r = run_note(run, "warn", step_node(s), "text",
                "the dead mount is still in use and was detached lazily", NULL);
        if (r == 0)
                r = mounts_umount(&place, true, wait, -EBADF);
        return r == -ENOENT ? 0 : r;
}

const StepOps step_detach = {
        .name = "detach",
        .title = "detaching the dead mount",
        .apply = detach_apply,
        .revert = NULL,
};
