/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker keeps the time (step/announce.c), the daemon knows who holds what. Nothing here is in
 * the ledger: locks are the daemon's, and a daemon that dies meanwhile is a cancel. */

#include "removal-inhibit.h"

#include "bus-signals.h"
#include "manager-inhibitors.h"
#include "removal-awaited.h"
#include "removal-log.h"
#include "util/text.h"

#define LABEL_MAX (INHIBITOR_WHO_MAX + 32)
/* Of those that are waited for; the rest is a number. */
#define SHOWN_MAX 16

static const char *const changes[] = { "Awaited", "Progress", NULL };

/* How long the plan waits. */
static uint64_t wait_usec(const Removal *r)
{
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->plan->steps[i].ops == &step_announce)
                        return step_get_u64(&r->plan->steps[i], "wait");
        return 0;
}

/* As a worker shows processes: "process PID comm=WHO uses=delay". */
static int add_holder(Record *rec, const Inhibitor *i, size_t number)
{
        _cleanup_(record_freep) Record *one = NULL;
        _cleanup_(freep) char *line = NULL;
        char pid[16], key[16];
        int e;

        (void)snprintf(pid, sizeof(pid), "%d", i->pid);
        (void)snprintf(key, sizeof(key), "%zu", number);
        one = record_new("process", pid);
        if (!one)
                return -ENOMEM;
        e = record_set(one, "comm", i->who);
        if (e == 0)
                e = record_set(one, "uses", inhibit_mode_to_string(i->mode));
        line = e == 0 ? record_print(one) : NULL;
        return line ? record_set(rec, key, line) : -ENOMEM;
}

static int add_holders(const Removal *r, Record *rec, size_t *ret_n)
{
        const Inhibitor *i;
        size_t k = 0, n = 0;
        int e = 0;

        while (e == 0 && (i = inhibitors_next(r->manager, INHIBIT_DELAY, r->closure, &k)))
                if (++n <= SHOWN_MAX)
                        e = add_holder(rec, i, n);
        *ret_n = n;
        return e;
}

/* "waiting for postgres (812): checkpoint, and 2 others; at most 5s" */
static int set_text(const Removal *r, Record *rec, size_t n)
{
        char label[LABEL_MAX], more[64] = "", span[TIMESPAN_MAX];
        size_t k = 0;
        const Inhibitor *first = inhibitors_next(r->manager, INHIBIT_DELAY, r->closure, &k);

        if (n > 1)
                (void)snprintf(more, sizeof(more), ", and %zu other%s", n - 1, n > 2 ? "s" : "");
        return record_setf(rec, "text", "waiting for %s: %s%s; at most %s",
                inhibitor_label(first, label, sizeof(label)), first->why, more,
                format_timespan(span, wait_usec(r)));
}

/* Nobody is waited for any more. */
static void show_nobody(Removal *r)
{
        r->delay_until_usec = 0;
        removal_awaited_clear(r);
        free(TAKE_PTR(r->progress));
        bus_signal_changed(r, changes);
}

static void show_awaited(Removal *r)
{
        _cleanup_(record_freep) Record *rec = record_new("awaited", NULL);
        size_t n;

        if (!rec || add_holders(r, rec, &n) < 0 || set_text(r, rec, n) < 0)
                return;
        removal_awaited_take(r, rec);
        bus_signal_changed(r, changes);
}

/* Exactly once. A worker that has just died hears nothing; its end brings the rollback. */
static void tell_proceed(Removal *r)
{
        if (worker_tell(r->worker, "proceed") < 0)
                removal_log(r, LOG_DEBUG, NULL, NULL, NULL, "the worker does not hear \"proceed\"");
}

void removal_delay_look(Removal *r)
{
        size_t k = 0;

        if (r->delay_until_usec == 0 || r->stopping)
                return;
        if (inhibitors_next(r->manager, INHIBIT_DELAY, r->closure, &k)) {
                show_awaited(r);
                return;
        }
        show_nobody(r);
        tell_proceed(r);
}

void removal_delay_begin(Removal *r)
{
        uint64_t usec = wait_usec(r);

        if (usec > 0)
                r->delay_until_usec = usec_add(now_usec(), usec);
        bus_signal_prepare(r, true);
        removal_delay_look(r);
}

/* "released" comes after we said so and forgot; what is left is told by name. */
void removal_delay_over(Removal *r, bool timed_out)
{
        const Inhibitor *i;
        char label[LABEL_MAX];
        size_t k = 0;

        if (r->delay_until_usec == 0)
                return;
        show_nobody(r);
        if (timed_out)
                tell_proceed(r);
        while (timed_out && (i = inhibitors_next(r->manager, INHIBIT_DELAY, r->closure, &k)))
                removal_log(r, LOG_WARNING, NULL, NULL, i->target,
                        "it goes on without %s, who did not let go within DelayMax=: %s",
                        inhibitor_label(i, label, sizeof(label)), i->why);
}

uint64_t removal_delay_deadline(const Removal *r)
{
        uint64_t limit = removal_deadline_realtime(r), now = now_usec(), until;

        if (r->delay_until_usec == 0)
                return limit;
        until = now_realtime_usec() + (r->delay_until_usec > now ? r->delay_until_usec - now : 0);
        return limit > 0 ? MIN_OF(limit, until) : until;
}

void removal_log_ignored(const Removal *r)
{
        const Inhibitor *i;
        char label[LABEL_MAX];
        size_t k = 0;

        if (!r->request->ignore_inhibitors)
                return;
        while ((i = inhibitors_next(r->manager, INHIBIT_BLOCK, r->closure, &k)))
                removal_log(r, LOG_NOTICE, NULL, NULL, i->target,
                        "uid %u has it ignore %s, who forbids it: %s", r->request->uid,
                        inhibitor_label(i, label, sizeof(label)), i->why);
}
