/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What could mount it again: mount units and automount points, now and at the next boot. */

#include "policy-build.h"

#include "kinds.h"

/* What the service manager may take to read its units or to stop one. */
#define UNIT_TIMEOUT_USEC (90 * USEC_PER_SEC)

static int add_unit(Build *b, const StepOps *ops, const Node *mount, const char *unit)
{
        static const char *const keys[] = { "target", "automount", NULL };
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, unit);
        int e;

        if (!r)
                return -ENOMEM;
        e = build_copy_keys(r, mount, keys);
        if (e == 0 && ops == &step_keepoff)
                e = record_set(r, "until",
                        b->policy->keep_off == KEEP_OFF_PERSISTENT ? "persistent" : "boot");
        if (e == 0)
                e = build_set_usec(r, "wait", UNIT_TIMEOUT_USEC);
        return build_add_step(b, ops, &r, e);
}

/* For every unit that could mount something of the closure again; several filesystems can be
 * stacked on one mount point. */
static int for_units_with(Build *b, const StepOps *ops, const char *key)
{
        _cleanup_(strv_freep) char **seen = NULL;
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *n = b->g->nodes[i];
                const char *unit = node_get(n, "unit");

                if (!build_takes(b, n, KIND_MOUNT) || !unit || !node_get(n, key) ||
                        strv_contains(seen, unit))
                        continue;
                e = strv_append(&seen, unit);
                if (e == 0)
                        e = add_unit(b, ops, n, unit);
        }
        return e;
}

int build_mount_units(Build *b, const StepOps *ops)
{
        return for_units_with(b, ops, "unit");
}

int build_automounts(Build *b, const StepOps *ops)
{
        return for_units_with(b, ops, "automount");
}

int build_ungates(Build *b, const StepOps *ops)
{
        return b->policy->keep_off == KEEP_OFF_NO ? build_mount_units(b, ops) : 0;
}

int build_keepoffs(Build *b, const StepOps *ops)
{
        return b->policy->keep_off == KEEP_OFF_NO ? 0 : build_mount_units(b, ops);
}

static int add_note(Build *b, const Node *n)
{
        const char *target = strna(node_get(n, "target"));

        if (node_get(n, "unit") && b->policy->keep_off != KEEP_OFF_NO)
                return plan_add_note(b->plan,
                        "%s: KeepOff=%s: not mounted again %s; the journal says how to take that "
                        "back",
                        target, b->policy->keep_off == KEEP_OFF_PERSISTENT ? "persistent" : "yes",
                        b->policy->keep_off == KEEP_OFF_PERSISTENT ? "by a boot"
                                                                   : "until the next boot");
        return 0;
}

/* systemd waits for the device of an entry without nofail for DefaultDeviceTimeoutSec=, then
 * local-fs.target fails and with it the boot (systemd.mount(5), "fstab"). */
static int add_boot_note(Build *b, const Node *n)
{
        if (!node_has(n, "fstab", "waits") || b->policy->keep_off == KEEP_OFF_PERSISTENT)
                return 0;
        return plan_add_note(b->plan,
                "%s: /etc/fstab has it without nofail: a boot without the memory waits for it, 90s "
                "by default, and ends in emergency mode; add nofail there, or set "
                "KeepOff=persistent",
                strna(node_get(n, "target")));
}

int build_mount_notes(Build *b)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                if (!build_takes(b, b->g->nodes[i], KIND_MOUNT))
                        continue;
                e = add_note(b, b->g->nodes[i]);
                if (e == 0)
                        e = add_boot_note(b, b->g->nodes[i]);
        }
        return e;
}
