/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After a forced unbind: waits for whom the kernel killed, and kills who is left. The kernel queues
 * SIGBUS and waits for nobody; it can be blocked, ignored or handled, and PID 1 of a container
 * never gets it. Processes with plain descriptors or a working directory get no signal at all.
 * Whoever lives and has not let go keeps the dead mount, and on kernels from 6.15 the freed page
 * structures, in use.
 *
 * Of device-dax (key nodes) the kernel takes the pages out of every mapping and sends nothing: who
 * touches it gets SIGBUS then, who does not lives on (kernel-facts 2.5). Nothing kept new users out
 * until the unbind, so they are looked for here. */

#include "step/common.h"
#include "sys/bind.h"
#include "sys/pidfd.h"

/* Dead now, and the kernel said it had sent SIGBUS: that is who pre-remove killed. */
static int note_kernel_kills(Run *run)
{
        const Record *r;
        int e = 0;

        for (size_t i = 0; e == 0 && (r = run_process(run, i)); i++) {
                _cleanup_(closep) int pidfd = -EBADF;
                uint64_t start;
                pid_t pid;

                if (!run_recall(run, "sigbus", r->name) || run_recall(run, "killed", r->name) ||
                        parse_pid(r->name, &pid) < 0 || record_get_u64(r, "start", &start) < 0)
                        continue;
                pidfd = pidfd_open_checked(pid, start);
                if (pidfd >= 0 && pidfd_exited(pidfd) == 0)
                        continue;
                e = run_note(run, "killed", r->name, "comm", record_get(r, "comm"), "unit",
                        record_get(r, "unit"), "start", record_get(r, "start"), "signal", "SIGBUS",
                        "uses", record_get(r, "uses"), "reason",
                        "the kernel's pre-remove: it had DAX pages mapped", NULL);
        }
        return e;
}

static void keep_dax_users(Victims *v)
{
        for (size_t i = 0; i < v->n; i++)
                if (!strstr(v->items[i].uses, "dax"))
                        v->items[i].state = VICTIM_SPARED;
}

static int wait_for_sigbus(const Step *s, Run *run, Failure *f)
{
        _cleanup_(victims_done) Victims v = { 0 };
        int r;

        r = victims_open(run, step_node(s), &v);
        if (r < 0)
                return r;
        if (!step_get(s, "nodes"))
                keep_dax_users(&v);
        r = victims_wait(run, s, &v, false, usec_add(now_usec(), step_get_u64(s, "grace")), f);
        return r < 0 ? r : note_kernel_kills(run);
}

static int kill_the_rest(const Step *s, Run *run, Failure *f)
{
        _cleanup_(victims_done) Victims v = { 0 };
        char names[256];
        int sig, r;

        r = victims_open(run, step_node(s), &v);
        if (r == 0)
                r = victims_look(run, s, &v);
        if (r < 0 || victims_alive(&v) == 0)
                return r;
        if (!step_get(s, "signal"))
                return failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s),
                        "%s outlived the removal, and LastSignal=none forbids to kill them; stop "
                        "them",
                        victims_names(&v, names, sizeof(names)));
        r = parse_signal(step_get(s, "signal"), &sig);
        if (r == 0)
                r = victims_signal(run, &v, sig, "still held what was removed");
        if (r == 0)
                r = victims_wait(
                        run, s, &v, false, usec_add(now_usec(), step_get_u64(s, "wait")), f);
        if (r > 0)
                return failure_set(f, FAILURE_TIMED_OUT, -ETIMEDOUT, step_node(s),
                        "%s did not die in KillTimeout=; look at /proc/PID/stack",
                        victims_names(&v, names, sizeof(names)));
        return r;
}

static int settle_apply(const Step *s, Run *run, Failure *f)
{
        char driver[64];
        int r = 0;

        /* Its unbind did not come about: nobody is hit on its behalf. */
        if (bind_driver(strempty(step_get(s, "device")), driver, sizeof(driver)) == 0)
                return 0;
        if (step_get(s, "nodes") && !run_only_planned(run))
                r = MIN_OF(step_find_newcomers(run, s, step_get(s, "devs"), f), 0);
        if (r == 0)
                r = wait_for_sigbus(s, run, f);
        return r < 0 ? r : kill_the_rest(s, run, f);
}

const StepOps step_settle = {
        .name = "settle",
        .title = "waiting for the killed of",
        .apply = settle_apply,
        .revert = NULL,
};
