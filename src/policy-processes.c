/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps that signal processes and wait for them. Each says by device numbers what it is about,
 * because who still holds it, and who came after the plan, is found by them. */

#include "kinds.h"
#include "policy-build.h"
#include "policy-overrides.h"

/* How long a process may take to die of the kernel's SIGBUS before the daemon's own SIGKILL. */
#define SIGBUS_GRACE_USEC (2 * USEC_PER_SEC)

int build_set_newcomer_keys(const Build *b, Record *r)
{
        int e;

        if (overrides_have(b->req->overrides, OVERRIDE_PROTECTED))
                return 0;
        e = build_set_words(r, "protect-units", b->policy->protect_unit);
        if (e == 0)
                e = build_set_words(r, "protect-processes", b->policy->protect_process);
        return e;
}

/* devs: filesystems, by the number that their files show. nodes: character devices. raw: block
 * devices, whose nodes the processes of the plan may have open; newcomers on those are for the
 * exclusive claim to find, since most of them are udev's and gone the next moment. */
int build_set_held_keys(const Build *b, Record *r)
{
        int e = build_set_devs(b, r);

        if (e == 0)
                e = build_set_joined(b, r, "nodes", KIND_CHARDEV, "dev");
        return e < 0 ? e : build_set_raw(b, r);
}

/* A rung of DrainSignals=. The first is for the processes of the plan, which was made a moment
 * ago; the later ones are for who still holds it by then, whoever that is. */
static int add_signal(Build *b, const StepOps *ops, const LadderRung *rung, bool first)
{
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, NULL);
        int e;

        if (!r)
                return -ENOMEM;
        e = record_set(r, "signal", signal_name(rung->signal));
        if (e == 0)
                e = build_set_usec(r, "wait", rung->wait_usec);
        if (e == 0)
                e = build_set_held_keys(b, r);
        if (e == 0 && !first)
                e = record_set(r, "newcomers", "yes");
        if (e == 0 && !first)
                e = build_set_newcomer_keys(b, r);
        return build_add_step(b, ops, &r, e);
}

int build_signals(Build *b, const StepOps *ops)
{
        const Ladder *ladder = &b->policy->drain;
        int e = 0;

        if (b->plan->n_processes == 0)
                return 0;
        for (size_t i = 0; i < ladder->n && e == 0; i++)
                e = add_signal(b, ops, &ladder->rungs[i], i == 0);
        return e;
}

static int set_kill_keys(const Build *b, Record *r)
{
        int e = build_set_held_keys(b, r);

        if (e == 0)
                e = build_set_usec(r, "wait", b->policy->kill_timeout_usec);
        if (e == 0 && b->policy->last_signal)
                e = record_set(r, "signal", signal_name(b->policy->last_signal));
        return e < 0 ? e : build_set_newcomer_keys(b, r);
}

int build_kill(Build *b, const StepOps *ops)
{
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, NULL);

        return build_add_step(b, ops, &r, r ? set_kill_keys(b, r) : -ENOMEM);
}

int build_settle(Build *b, const StepOps *ops)
{
        _cleanup_(record_freep) Record *r = NULL;
        int e;

        if (!build_is_mounted(b->group) && !build_chardev(b->group))
                return 0;
        r = build_new_step(b, ops, node_name(b->group));
        if (!r)
                return -ENOMEM;
        e = set_kill_keys(b, r);
        if (e == 0)
                e = record_set(r, "device", node_get(b->group, "device"));
        if (e == 0)
                e = build_set_usec(
                        r, "grace", MIN_OF(SIGBUS_GRACE_USEC, b->policy->kill_timeout_usec / 2));
        return build_add_step(b, ops, &r, e);
}
