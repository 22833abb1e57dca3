/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Only who is in the plan may still open files: he may have to, in order to end well. Everybody
 * else is turned away until the removal has ended, where the policy wants that (OpenGate=). */

#include "step/step.h"
#include "sys/doorkeeper.h"

static void drop(void *object)
{
        child_done(object);
        free(object);
}

static int guests_of(const Run *run, Guest **ret, size_t *ret_n)
{
        _cleanup_(freep) Guest *guests = NULL;
        const Record *r;
        size_t n = 0;

        for (size_t i = 0; (r = run_process(run, i)); i++) {
                Guest *grown = reallocarray(guests, n + 1, sizeof(Guest));

                if (!grown)
                        return -ENOMEM;
                guests = grown;
                if (parse_pid(strempty(r->name), &guests[n].pid) < 0 ||
                        record_get_u64(r, "start", &guests[n].start) < 0)
                        return -EBADMSG;
                n++;
        }
        *ret = TAKE_PTR(guests);
        *ret_n = n;
        return 0;
}

static int start(const Step *s, Run *run, Child *c)
{
        _cleanup_(freep) Guest *guests = NULL;
        size_t n = 0;
        int r = guests_of(run, &guests, &n);

        return r < 0 ? r
                     : doorkeeper_start(strempty(step_get(s, "target")), step_get_dev(s, "dev"),
                               guests, n, c);
}

static int opengate_apply(const Step *s, Run *run, Failure *f)
{
        _cleanup_(freep) Child *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        *c = (Child)CHILD_INIT;
        r = start(s, run, c);
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "new users could not be kept out (%s); OpenGate=no goes on without that",
                        strerror(-r));
        r = run_hold_object(run, "opengate", step_node(s), c, drop);
        if (r < 0)
                child_done(c);
        else
                (void)TAKE_PTR(c);
        return r;
}

/* It died with its worker, or dies here. */
static int opengate_revert(const Step *s, Run *run, Failure *f)
{
        run_drop(run, "opengate", step_node(s));
        return 0;
}

const StepOps step_opengate = {
        .name = "opengate",
        .title = "keeping new users out of",
        .apply = opengate_apply,
        .revert = opengate_revert,
};
