/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callers of Wait. Who leaves the bus keeps his place until the removal ends; it costs a message.
 */

#include "removal-wait.h"

#include "bus-signals.h"
#include "caller-limits.h"

struct RemovalWaiter {
        sd_bus_message *msg;
        uid_t uid;
};

static int check_room(const Removal *r, uid_t uid, Failure *f)
{
        size_t guests = 0, own = 0;
        bool full;

        for (size_t i = 0; i < r->n_waiters; i++) {
                guests += r->waiters[i].uid != 0;
                own += r->waiters[i].uid == uid;
        }
        full = r->n_waiters >= LIMIT_WAITERS || (uid != 0 && guests >= LIMIT_WAITERS_GUESTS);
        if (!full && (uid == 0 || own < LIMIT_WAITERS_USER))
                return 0;
        return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, r->request->target,
                "%zu callers wait for it, %zu of them of user %u, and there can be no more; look "
                "at "
                "State and Result, or listen to RemovalFinished",
                r->n_waiters, own, uid);
}

int removal_wait(Removal *r, sd_bus_message *m, uid_t uid, Failure *f)
{
        struct RemovalWaiter *grown;
        int e;

        if (!removal_alive(r))
                return sd_bus_reply_method_return(m, "s", r->result);
        e = check_room(r, uid, f);
        if (e < 0)
                return e;
        grown = reallocarray(r->waiters, r->n_waiters + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        r->waiters = grown;
        r->waiters[r->n_waiters++] =
                (struct RemovalWaiter){ .msg = sd_bus_message_ref(m), .uid = uid };
        return 0;
}

void removal_wait_forget(Removal *r)
{
        for (size_t i = 0; i < r->n_waiters; i++)
                (void)sd_bus_message_unref(r->waiters[i].msg);
        free(r->waiters);
        r->waiters = NULL;
        r->n_waiters = 0;
}

void removal_wait_answer(Removal *r)
{
        for (size_t i = 0; i < r->n_waiters; i++)
                bus_answer(r->waiters[i].msg, "s", r->result);
        removal_wait_forget(r);
}
