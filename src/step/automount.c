/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stops the automount point that is left below what was unmounted: as long as the device is gone
 * every access to it would wait for the device's time-out. Not before: systemd unmounts an
 * automount point lazily together with what is mounted on it (unmount_autofs(),
 * src/core/automount.c), and a lazily detached filesystem is what nobody finds again. Until then
 * the masked mount unit makes an access fail. */

#include "step/gate.h"
#include "sys/units.h"

static int automount_apply(const Step *s, Run *run, Failure *f)
{
        const char *unit = strempty(step_get(s, "automount"));
        uint64_t wait = step_get_u64(s, "wait");
        int r = unit_is_active(unit, wait);

        return r <= 0 ? r : unit_stop(unit, wait, run_cancel_fd(run));
}

/* systemd starts it only while the unit that it triggers is no longer masked, and only on a mount
 * point that is free: so before the mount is put back, which comes next. */
static int automount_revert(const Step *s, Run *run, Failure *f)
{
        const char *unit = strempty(step_get(s, "automount"));
        uint64_t wait = step_get_u64(s, "wait");
        int r;

        if (!run_recall(run, "automounted", unit) || unit_is_active(unit, wait) > 0)
                return 0;
        r = gate_open(s, run, f);
        if (r == 0)
                r = unit_start(unit, wait, -EBADF);
        /* As for services: the next boot sets it up. */
        if (r < 0 && units_machine_stops(wait) > 0) {
                (void)run_note(run, "warn", unit, "text",
                        "it is not set up again, because the machine shuts down", NULL);
                *f = (Failure){ 0 };
                return 0;
        }
        return r == 0 ? 0
                      : failure_set(f, FAILURE_ROLLBACK_FAILED, r, unit,
                                "the automount point could not be set up again; try systemctl "
                                "start %s",
                                unit);
}

const StepOps step_automount = {
        .name = "automount",
        .title = "stopping the automount of",
        .apply = automount_apply,
        .revert = automount_revert,
};
