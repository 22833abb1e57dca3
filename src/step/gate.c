/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keeps the service manager from mounting again what is being taken away: somebody starts the mount
 * unit, a service requires it, an automount is walked into. The unit is masked, which does nothing
 * to what is mounted; ungate, the last step but one, and every way back unmask it. */

#include "step/gate.h"
#include "sys/units.h"

static int reload(const Step *s, Run *run, int cancel_fd, Failure *f)
{
        int r;

        do {
                r = units_reload(step_get_u64(s, "wait"), cancel_fd);
        } while (r == -ECANCELED && run_check_cancel(run, f) == 0);
        if (r == -ECANCELED)
                return r;
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "the service manager did not read its units again (%s); try systemctl "
                        "daemon-reload",
                        strerror(-r));
        return 0;
}

/* An access that meets the masked unit makes systemd give up the automount point, so whether there
 * was one is written down before. */
static int note_automount(const Step *s, Run *run)
{
        const char *unit = step_get(s, "automount");
        int r = unit ? unit_is_active(unit, step_get_u64(s, "wait")) : 0;

        return r <= 0 ? r : run_note(run, "automounted", unit, NULL);
}

/* The note comes first: a mask that nobody knows of would stay. */
static int gate_apply(const Step *s, Run *run, Failure *f)
{
        int r = note_automount(s, run);

        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "the service manager does not answer (%s)", strerror(-r));
        /* Somebody else's mask stays, also if we are killed right here. */
        if (unit_is_masked(step_node(s)))
                return 0;
        r = run_note(run, "masked", step_node(s), "by-us", "yes", NULL);
        if (r == 0)
                r = unit_mask(step_node(s));
        if (r == -EALREADY)
                return run_note(run, "masked", step_node(s), "by-us", "no", NULL);
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "the unit could not be masked (%s), so it could be mounted again at any "
                        "moment",
                        strerror(-r));
        return reload(s, run, run_cancel_fd(run), f);
}

int gate_open(const Step *s, Run *run, Failure *f)
{
        const Record *masked = run_recall(run, "masked", step_node(s));
        int r;

        if (!masked || !streq(strempty(record_get(masked, "by-us")), "yes"))
                return 0;
        r = unit_unmask(step_node(s));
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "the unit could not be unmasked: %s; remove "
                        "/run/systemd/system.control/%s",
                        strerror(-r), step_node(s));
        r = reload(s, run, -EBADF, f);
        /* Where that cannot be written, opening it again finds nothing to do. */
        if (r == 0)
                (void)run_note(run, "masked", step_node(s), "by-us", "no", NULL);
        return r;
}

const StepOps step_gate = {
        .name = "gate",
        .title = "masking",
        .apply = gate_apply,
        .revert = gate_open,
};
