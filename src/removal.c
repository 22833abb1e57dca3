/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What happens to a removal: events in, one state out, told to the bus and to the journal in the
 * same breath. Which event leads where stands in removal-table.c; what a cell does is here. */

#include "removal.h"

#include <inttypes.h>

#include "bus-signals.h"
#include "manager.h"
#include "messages.h"
#include "recover.h"
#include "removal-log.h"
#include "removal-record.h"
#include "util/own-file.h"
#include "util/text.h"

/* A worker that dies three times over the same ledger will die a fourth time. */
#define LOST_MAX 3
#define RECOVER_TRIES 60
#define RECOVER_PAUSE_USEC (500 * USEC_PER_MSEC)

static const char *const state_changes[] = { "State", "Committed", "Cancelable", "Deadline",
        "Progress", NULL };
static const char *const end_changes[] = { "State", "Committed", "Cancelable", "Deadline", "Step",
        "StepStates", "Progress", "FrozenUSec", "Result", "Error", "EndedUSec", NULL };
static const char *const deadline_changes[] = { "Deadline", "Cancelable", NULL };
static const char *const all_changes[] = { "Step", "StepStates", "Road", "Progress", "Blockers",
        "Committed", "Killed", "Awaited", "FrozenUSec", "Error", NULL };
static const char *const progress_changes[] = { "Progress", NULL };

bool removal_alive(const Removal *r)
{
        return !removal_state_ended(r->state);
}

bool removal_cancelable(const Removal *r)
{
        return r->state < REMOVAL_COMMITTED && !r->stopping;
}

bool removal_concerns(const Removal *r, const char *name)
{
        return strv_contains(r->closure, name);
}

unsigned removal_percent(const Removal *r)
{
        size_t done = 0, n = r->plan->n_steps;

        for (size_t i = 0; i < n; i++)
                done += r->steps[i] == STEP_DONE || r->steps[i] == STEP_SKIPPED;
        return r->state == REMOVAL_SUCCEEDED || n == 0 ? 100 : (unsigned)(done * 100 / n);
}

uint64_t removal_deadline_realtime(const Removal *r)
{
        uint64_t until = 0, now = now_boottime_usec();

        if (r->state >= REMOVAL_COMMITTED)
                return 0;
        if (r->deadline_usec > 0)
                until = r->deadline_usec;
        if (r->confirm_deadline_usec > 0 && (until == 0 || r->confirm_deadline_usec < until))
                until = r->confirm_deadline_usec;
        if (until == 0 || until == USEC_INFINITY)
                return 0;
        return usec_add(now_realtime_usec(), until > now ? until - now : 0);
}

/* --- the worker --- */

static void resync(Removal *r, const Ledger *l)
{
        r->replaying = true;
        removal_forget(r);
        for (size_t i = 0; i < l->n_records; i++)
                (void)removal_take(r, l->records[i]);
        r->replaying = false;
        bus_signal_changed(r, all_changes);
}

/* A worker never waits for us, and may be gone before it could say that records were lost; the
 * ledger has them all. */
static void read_what_was_missed(Removal *r)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;

        if (ledger_load(r->ledger_path, policy_find_step, &l) < 0)
                return;
        /* Fewer than heard: /run was full past the commit point, and what was said counts. */
        if (l->n_records > r->n_heard)
                resync(r, l);
        r->n_heard = l->n_records;
        if (r->committed && r->state != REMOVAL_COMMITTED)
                (void)removal_event(r, EVENT_COMMITTED, NULL);
}

static void take_word(Removal *r, const Record *rec)
{
        RemovalEvent e = removal_take(r, rec);

        r->n_heard += removal_record_in_ledger(rec->verb);
        bus_signal_changed(r, removal_record_properties(rec->verb));
        if (e >= 0)
                (void)removal_event(r, e, NULL);
}

/* What did not fit into the socket, as if it had come: it is the next piece of the ledger, and what
 * lies behind that is still to come (run_catch_up()). */
static void take_missed(Removal *r, const Record *rec)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        uint64_t until;

        if (record_get_u64(rec, "until", &until) < 0 ||
                ledger_load(r->ledger_path, policy_find_step, &l) < 0)
                return;
        for (size_t i = r->n_heard; i < MIN_OF(until, l->n_records); i++)
                take_word(r, l->records[i]);
}

static void on_record(const Record *rec, void *userdata)
{
        Removal *r = userdata;

        if (streq(rec->verb, "missed"))
                take_missed(r, rec);
        else
                take_word(r, rec);
        manager_removal_changed(r->manager);
}

static void on_blocked(const char *text, void *userdata)
{
        Removal *r = userdata;

        if (r->blocked && streq(r->blocked, text))
                return;
        if (free_and_strdup(&r->blocked, text) < 0)
                return;
        removal_log(r, LOG_WARNING, MESSAGE_BLOCKED, NULL, NULL, "%s", text);
        /* What the worker says itself tells more. */
        if (r->progress || free_and_strdup(&r->progress, text) < 0)
                return;
        bus_signal_changed(r, progress_changes);
}

static void on_exited(const char *status, void *userdata)
{
        Removal *r = userdata;

        r->worker = worker_free(r->worker);
        read_what_was_missed(r);
        if (r->last_word >= 0) {
                (void)removal_event(r, removal_event_finished(r->last_word), NULL);
                return;
        }
        removal_log(r, LOG_WARNING, MESSAGE_RECOVERING, NULL, NULL,
                "its worker is gone without a last word (%s)", status);
        r->recovered = true;
        if (++r->n_lost > LOST_MAX) {
                r->failure = (Failure){ 0 };
                (void)failure_set(&r->failure, FAILURE_ROLLBACK_FAILED, -EOWNERDEAD, NULL,
                        "the worker died %u times; what it left is in %s", r->n_lost,
                        r->ledger_path);
        }
        (void)removal_event(r, r->n_lost > LOST_MAX ? EVENT_WORKER_GONE : EVENT_WORKER_LOST, NULL);
}

static const WorkerOps worker_ops = {
        .record = on_record,
        .blocked = on_blocked,
        .exited = on_exited,
};

/* --- actions, by the table's names --- */

static int action_none(Removal *r, Failure *f)
{
        return 0;
}

static int action_spawn(Removal *r, Failure *f)
{
        int e;

        e = worker_spawn(r->manager->event, r->ledger, false, &worker_ops, r, &r->worker);
        if (e < 0) {
                (void)failure_set(&r->failure, FAILURE_FAILED, e, NULL,
                        "the worker could not be started: %s", strerror(-e));
                if (f)
                        *f = r->failure;
                (void)removal_event(r, EVENT_NOT_STARTED, NULL);
                return e;
        }
        /* The lock is the worker's from here on. */
        r->ledger = ledger_free(r->ledger);
        return 0;
}

static int action_recover(Removal *r, Failure *f);

static int on_recover_again(sd_event_source *s, uint64_t usec, void *userdata)
{
        Removal *r = userdata;

        r->recover_timer = sd_event_source_disable_unref(r->recover_timer);
        (void)action_recover(r, NULL);
        return 0;
}

/* Memory, processes or descriptors are short. That passes; what a dead worker left behind does not,
 * and it may be frozen. */
static bool recover_again(Removal *r, int e)
{
        if (e != -ENOMEM && e != -EAGAIN && e != -EMFILE && e != -ENFILE)
                return false;
        return ++r->n_recover_tries < RECOVER_TRIES &&
               sd_event_add_time_relative(r->manager->event, &r->recover_timer, CLOCK_MONOTONIC,
                       RECOVER_PAUSE_USEC, 0, on_recover_again, r) >= 0;
}

/* Somebody gave it to others, or damaged it, since it was begun: what its worker left is as unknown
 * as if it had been found like that at the start. One that is gone stands in nobody's way. */
static void distrust(const Removal *r, int e)
{
        if (e != -ENOENT && !recover_is_shortage(e) && manager_distrust(r->manager, r->id, e) < 0)
                removal_log(r, LOG_ERR, NULL, NULL, NULL, "no memory to keep others from %s",
                        r->ledger_path);
}

static int action_recover(Removal *r, Failure *f)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        int e;

        e = ledger_load(r->ledger_path, policy_find_step, &l);
        if (e < 0)
                distrust(r, e);
        else
                e = worker_spawn(r->manager->event, l, true, &worker_ops, r, &r->worker);
        if (e == 0 || recover_again(r, e))
                return 0;
        r->failure = (Failure){ 0 };
        (void)failure_set(&r->failure, FAILURE_ROLLBACK_FAILED, e, r->ledger_path,
                "recovery could not be started: %s", l ? strerror(-e) : own_file_cause(e));
        return removal_event(r, EVENT_WORKER_GONE, f);
}

static int on_confirm_timeout(sd_event_source *s, uint64_t usec, void *userdata)
{
        Removal *r = userdata;

        removal_log(r, LOG_NOTICE, NULL, NULL, NULL, "nobody confirmed in time");
        (void)removal_event(r, EVENT_DEADLINE, NULL);
        return 0;
}

static int action_arm_confirm(Removal *r, Failure *f)
{
        removal_log(
                r, LOG_NOTICE, NULL, NULL, NULL, "it waits for Confirm before the commit point");
        if (r->request->confirm_timeout_usec == 0)
                return 0;
        r->confirm_deadline_usec = usec_add(now_boottime_usec(), r->request->confirm_timeout_usec);
        return sd_event_add_time(r->manager->event, &r->confirm_timer, CLOCK_BOOTTIME,
                r->confirm_deadline_usec, 0, on_confirm_timeout, r);
}

static void disarm_confirm(Removal *r)
{
        r->confirm_timer = sd_event_source_disable_unref(r->confirm_timer);
        r->confirm_deadline_usec = 0;
}

static int action_tell_confirm(Removal *r, Failure *f)
{
        disarm_confirm(r);
        return worker_tell(r->worker, "confirm");
}

/* What is said to a worker that has just died is heard by nobody; its end brings the rollback. */
static int tell_stop(Removal *r, const char *line)
{
        r->stopping = true;
        if (worker_tell(r->worker, line) < 0)
                removal_log(
                        r, LOG_DEBUG, NULL, NULL, NULL, "the worker does not hear \"%s\"", line);
        bus_signal_changed(r, deadline_changes);
        return 0;
}

static int action_tell_cancel(Removal *r, Failure *f)
{
        _cleanup_(record_freep) Record *rec = record_new("cancel", NULL);
        _cleanup_(freep) char *line = NULL;

        if (rec && record_set(rec, "reason", "cancelled") == 0 &&
                record_set(rec, "why", *r->cancel_why ? r->cancel_why : NULL) == 0)
                line = record_print(rec);
        return tell_stop(r, line ? line : "cancel reason=cancelled");
}

static int action_tell_timeout(Removal *r, Failure *f)
{
        return tell_stop(r, "cancel reason=timed-out");
}

static int action_disarm(Removal *r, Failure *f)
{
        disarm_confirm(r);
        r->deadline_timer = sd_event_source_disable_unref(r->deadline_timer);
        r->deadline_usec = 0;
        return 0;
}

static int action_end(Removal *r, Failure *f)
{
        (void)action_disarm(r, f);
        removal_close(r);
        manager_removal_ended(r->manager, r);
        return 0;
}

static int (*const actions[_ACTION_MAX])(Removal *r, Failure *f) = {
        [ACTION_NONE] = action_none,
        [ACTION_SPAWN] = action_spawn,
        [ACTION_RECOVER] = action_recover,
        [ACTION_ARM_CONFIRM] = action_arm_confirm,
        [ACTION_TELL_CONFIRM] = action_tell_confirm,
        [ACTION_TELL_CANCEL] = action_tell_cancel,
        [ACTION_TELL_TIMEOUT] = action_tell_timeout,
        [ACTION_DISARM] = action_disarm,
        [ACTION_END] = action_end,
};

static int refuse(const Removal *r, const RemovalCell *cell, Failure *f)
{
        static const char *const sentences[_FAILURE_MAX] = {
                [FAILURE_NOT_SUPPORTED] = "it does not wait for a confirmation now",
                [FAILURE_PAST_COMMIT] = "it is past its commit point and only goes forward",
                [FAILURE_CANCELLED] = "it is undone, or being undone",
                [FAILURE_ROLLBACK_FAILED] = "it is stuck and needs a human; its Error says where",
        };

        if (removal_alive(r))
                return failure_set(f, cell->refusal, 0, r->request->target,
                        "removal %" PRIu64 ": %s", r->id, sentences[cell->refusal]);
        return failure_set(f, cell->refusal, 0, r->request->target,
                "removal %" PRIu64 " is over (%s)%s", r->id, strna(r->result),
                cell->refusal == FAILURE_PAST_COMMIT ? " and past its commit point" : "");
}

/* An end that nobody gave a cause for still has one to show. */
static void seal_result(Removal *r)
{
        static const FailureKind unexplained[_REMOVAL_STATE_MAX] = {
                [REMOVAL_PARTIAL] = FAILURE_PARTIAL,
                [REMOVAL_ROLLED_BACK] = FAILURE_FAILED,
                [REMOVAL_STUCK] = FAILURE_ROLLBACK_FAILED,
        };

        if (unexplained[r->state] != FAILURE_NONE)
                (void)failure_set(&r->failure, unexplained[r->state], 0, NULL, "%s",
                        failure_info(unexplained[r->state])->sentence);
        r->result = failure_result(r->failure.kind);
        r->ended_usec = now_usec();
        if (!r->replaying)
                r->ended_realtime_usec = now_realtime_usec();
        /* Nobody told of a thaw: the kernel does it itself inside the unbind. */
        if (r->frozen_since_usec > 0 && !r->replaying)
                r->frozen_usec = usec_add(r->frozen_usec, now_usec() - r->frozen_since_usec);
        r->frozen_since_usec = 0;
}

/* What has been told to stop does not go on again, although its state only follows. */
int removal_confirm(Removal *r, Failure *f)
{
        static const RemovalCell stopped = { .refusal = FAILURE_CANCELLED };

        return r->stopping && r->state < REMOVAL_COMMITTED ? refuse(r, &stopped, f)
                                                           : removal_event(r, EVENT_CONFIRM, f);
}

void removal_look(Removal *r, const char *namespace)
{
        /* His note was sent before his write, and may not have been read yet. */
        worker_hear(r->worker);
        if (strv_contains(r->unbinding, namespace))
                return;
        if (worker_tell(r->worker, "look") < 0)
                removal_log(r, LOG_DEBUG, NULL, NULL, NULL, "the worker does not hear \"look\"");
}

int removal_event(Removal *r, RemovalEvent e, Failure *f)
{
        const RemovalCell *cell = removal_cell(r->state, e);
        RemovalState before = r->state;

        if (cell->action == ACTION_UNEXPECTED) {
                removal_log(r, LOG_WARNING, NULL, NULL, NULL, "event %s makes no sense in state %s",
                        removal_event_to_string(e), removal_state_to_string(r->state));
                return failure_set(f, FAILURE_FAILED, -EPROTO, NULL, "that makes no sense now");
        }
        if (cell->action == ACTION_REFUSE)
                return refuse(r, cell, f);
        r->state = cell->next;
        if (r->state != before) {
                if (removal_state_ended(r->state))
                        seal_result(r);
                removal_log(r, LOG_DEBUG, NULL, NULL, NULL, "%s: %s -> %s",
                        removal_event_to_string(e), removal_state_to_string(before),
                        removal_state_to_string(r->state));
                bus_signal_changed(r, removal_state_ended(r->state) ? end_changes : state_changes);
        }
        return actions[cell->action](r, f);
}
