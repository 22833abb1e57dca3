/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Unmounts what pre-remove has shut down: it answers EIO to everybody and stands in the way of the
 * device's return. systemd unmounts what fstab named by itself when the device goes; losing that
 * race is success. */

#include "step/common.h"
#include "sys/bind.h"

static int detach_apply(const Step *s, Run *run, Failure *f)
{
        MountPlace place;
        uint64_t wait = step_get_u64(s, "wait");
        char driver[64];
        int r;

        /* Its unbind did not come about: the mount is alive. */
        if (bind_driver(strempty(step_get(s, "device")), driver, sizeof(driver)) == 0)
                return 0;
        step_place(s, &place);
        r = mounts_umount(&place, false, wait, -EBADF);
        if (r == 0 || r == -ENOENT || r == -ESTALE || r == -ESRCH)
                return 0;
        if (r != -EBUSY)
                return r;
        /* Somebody whom no scan showed. Out of the way at least; verify tells whether it lives on.
         */
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
