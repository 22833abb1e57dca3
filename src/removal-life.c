/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Birth, retention and end of a removal, and those who wait for its answer. A removal outlives its
 * work by an hour, because a client that asks late must not find nothing. */

#include <inttypes.h>
#include <sys/stat.h>

#include "bus.h"
#include "bus-signals.h"
#include "manager.h"
#include "messages.h"
#include "recover.h"
#include "removal-log.h"
#include "removal-record.h"
#include "removal-wait.h"
#include "util/own-file.h"
#include "util/text.h"

#define KEEP_USEC (3600 * USEC_PER_SEC)
/* Nobody cares whether an old answer goes a minute earlier; the machine cares for its sleep. */
#define KEEP_ACCURACY_USEC (60 * USEC_PER_SEC)

Removal *removal_free(Removal *r)
{
        if (!r)
                return NULL;
        r->replaying = true;
        if (r->plan)
                removal_forget(r);
        (void)worker_free(r->worker);
        (void)sd_event_source_disable_unref(r->deadline_timer);
        (void)sd_event_source_disable_unref(r->confirm_timer);
        (void)sd_event_source_disable_unref(r->expiry_timer);
        (void)sd_event_source_disable_unref(r->recover_timer);
        (void)sd_bus_track_unref(r->caller);
        removal_wait_forget(r);
        ledger_free(r->ledger);
        free(r->ledger_path);
        request_free(r->request);
        plan_free(r->plan);
        strv_free(r->closure);
        strv_free(r->vanished);
        strv_free(r->unbinding);
        free(r->blocked);
        free(r->steps);
        free(r->plan_text);
        free(r->path);
        free(r);
        return NULL;
}

/* Everything but the state, from request, plan and id. */
static int removal_build(Removal *r)
{
        int e;

        r->state = REMOVAL_QUEUED;
        r->path = string_printf(BUS_PATH_REMOVAL "/%" PRIu64, r->id);
        r->steps = calloc(r->plan->n_steps + 1, sizeof(*r->steps));
        if (!r->path || !r->steps)
                return -ENOMEM;
        removal_forget(r);
        e = plan_print(r->plan, &r->plan_text);
        if (e < 0)
                return e;
        return plan_seal(r->plan);
}

/* Where it comes back from after a restart: which devices nobody else may touch meanwhile, and when
 * it began. */
static int remember_closure(Removal *r, const char *closure)
{
        _cleanup_(record_freep) Record *rec = record_new("closure", NULL);
        int e;

        e = strv_split(strempty(closure), &r->closure);
        if (e < 0)
                return e;
        r->started_realtime_usec = now_realtime_usec();
        if (!rec || record_set(rec, "names", strempty(closure)) < 0 ||
                record_setf(rec, "started", "%" PRIu64, r->started_realtime_usec) < 0)
                return -ENOMEM;
        e = ledger_append(r->ledger, rec);
        if (e == 0)
                r->n_heard = 1;
        return e;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata)
{
        Removal *r = userdata;

        removal_log(r, LOG_NOTICE, NULL, NULL, NULL, "its time is over");
        if (r->state == REMOVAL_QUEUED)
                (void)failure_set(&r->failure, FAILURE_TIMED_OUT, 0, NULL, "it never began");
        (void)removal_event(r, EVENT_DEADLINE, NULL);
        return 0;
}

static int arm_deadline(Removal *r)
{
        if (r->request->timeout_usec == 0 || r->request->dry_run)
                return 0;
        r->deadline_usec = usec_add(now_boottime_usec(), r->request->timeout_usec);
        return sd_event_add_time(r->manager->event, &r->deadline_timer, CLOCK_BOOTTIME,
                r->deadline_usec, 0, on_deadline, r);
}

static int removal_make(Removal *r, const char *closure)
{
        int e;

        e = ledger_create(r->manager->ledger_dir, r->request, r->plan, &r->ledger);
        if (e < 0)
                return e;
        r->id = r->ledger->id;
        e = free_and_strdup(&r->ledger_path, r->ledger->path);
        if (e == 0)
                e = remember_closure(r, closure);
        if (e == 0)
                e = removal_build(r);
        if (e == 0)
                e = arm_deadline(r);
        if (e == 0)
                e = manager_add_removal(r->manager, r);
        if (e < 0)
                (void)unlink(r->ledger->path);
        return e;
}

static void log_start(const Removal *r)
{
        const Request *req = r->request;
        char overruling[256] = "";
        size_t used = 0;

        for (char **o = req->overrides; o && *o && used < sizeof(overruling); o++)
                used += (size_t)snprintf(overruling + used, sizeof(overruling) - used, "%s %s",
                        used ? "," : ", overruling", *o);
        removal_log(r, LOG_NOTICE, MESSAGE_STARTED, NULL, NULL, "asked for by uid %u%s%s%s",
                req->uid, overruling, req->reason ? ": " : "", strempty(req->reason));
}

/* Without a ledger. Only a last-id that is not ours, or no number, is helped by deleting it. */
static const char *what_next(int err)
{
        if (err == -ENOSPC || err == -EDQUOT)
                return "nothing was begun; make room there and ask again";
        if (recover_is_shortage(err))
                return "nothing was begun; ask again when that has passed";
        return "last-id may be deleted, ids then go on after the highest ledger there";
}

int removal_new(
        Manager *m, Request **req, Plan **plan, const char *closure, Removal **ret, Failure *f)
{
        Removal *r = calloc(1, sizeof(*r));
        int e;

        if (!r)
                return -ENOMEM;
        r->manager = m;
        r->request = *req;
        r->plan = *plan;
        e = removal_make(r, closure);
        if (e < 0) {
                /* Still the caller's. */
                free(r->steps);
                r->steps = NULL;
                r->request = NULL;
                r->plan = NULL;
                removal_free(r);
                return failure_set(f, FAILURE_FAILED, e, m->ledger_dir,
                        "the ledger of this removal cannot be written, or last-id not be read: %s; "
                        "%s",
                        own_file_cause(e), what_next(e));
        }
        *req = NULL;
        *plan = NULL;
        log_start(r);
        bus_signal_new(r);
        *ret = r;
        return 0;
}

static int adopt(Removal *r, Ledger *l)
{
        const Record *closure = ledger_last(l, "closure");
        int e;

        r->id = l->id;
        r->ledger_path = TAKE_PTR(l->path);
        r->request = TAKE_PTR(l->request);
        r->plan = TAKE_PTR(l->plan);
        e = strv_split(
                strempty(closure ? record_get(closure, "names") : r->request->target), &r->closure);
        if (e == 0)
                e = removal_build(r);
        if (e < 0)
                return e;
        if (closure && record_get_u64(closure, "started", &r->started_realtime_usec) < 0)
                r->started_realtime_usec = 0;
        for (size_t i = 0; i < l->n_records; i++)
                (void)removal_take(r, l->records[i]);
        r->n_heard = l->n_records;
        return manager_add_removal(r->manager, r);
}

static void tell_late(Removal *r);

int removal_load(Manager *m, uint64_t id, Removal **ret)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        _cleanup_(removal_freep) Removal *r = calloc(1, sizeof(*r));
        int e;

        if (!r)
                return -ENOMEM;
        r->manager = m;
        r->replaying = true;
        e = ledger_load_id(m->ledger_dir, id, policy_find_step, &l);
        if (e == 0)
                e = adopt(r, l);
        if (e < 0)
                return e;
        *ret = r;
        if (r->last_word >= 0)
                (void)removal_event(r, removal_event_finished(r->last_word), NULL);
        r->replaying = false;
        if (r->last_word >= 0 && !r->reported)
                tell_late(r);
        (void)TAKE_PTR(r);
        return 0;
}

int removal_recover(Removal *r)
{
        r->recovered = true;
        removal_log(r, LOG_WARNING, MESSAGE_RECOVERING, NULL, NULL,
                "it was under way when the daemon ended; recovery begins");
        return removal_event(r, r->committed ? EVENT_RECOVER_FORWARD : EVENT_RECOVER_BACK, NULL);
}

int removal_start(Removal *r, Failure *f)
{
        if (!r->request->dry_run)
                return removal_event(r, EVENT_START, f);
        free(r->progress);
        r->progress = strdup("dry run: nothing was done");
        return removal_event(r, EVENT_FINISHED_SUCCEEDED, f);
}

int removal_cancel(Removal *r, const char *why, Failure *f)
{
        if (removal_cancelable(r)) {
                removal_log(r, LOG_NOTICE, NULL, NULL, NULL, "to be cancelled: %s", why);
                (void)snprintf(r->cancel_why, sizeof(r->cancel_why), "%s", why);
                if (r->state == REMOVAL_QUEUED)
                        (void)failure_set(&r->failure, FAILURE_CANCELLED, 0, NULL, "%s", why);
        }
        return removal_event(r, EVENT_CANCEL, f);
}

static void extend_timer(sd_event_source *s, uint64_t *deadline_usec, uint64_t usec)
{
        if (!s)
                return;
        *deadline_usec = usec_add(*deadline_usec, usec);
        (void)sd_event_source_set_time(s, *deadline_usec);
}

/* Nothing that is over, or past the commit point, has time to be given. */
static int check_extend(const Removal *r, Failure *f)
{
        const RemovalCell *cancel = removal_cell(r->state, EVENT_CANCEL);
        const char *target = r->request->target;

        if (cancel->action == ACTION_REFUSE)
                return failure_set(f, cancel->refusal, 0, target, "%s",
                        removal_alive(r) ? "past the commit point there is no deadline to move"
                                         : "it is over, there is no deadline to move");
        if (!removal_cancelable(r))
                return failure_set(
                        f, FAILURE_CANCELLED, 0, target, "it is undone, or being undone");
        if (!r->deadline_timer && !r->confirm_timer)
                return failure_set(f, FAILURE_NOT_SUPPORTED, 0, target,
                        "no deadline is running (timeout-usec, confirm-timeout-usec) that could be "
                        "moved");
        return 0;
}

int removal_extend(Removal *r, uint64_t usec, Failure *f)
{
        static const char *const changes[] = { "Deadline", NULL };
        int e = check_extend(r, f);

        if (e < 0)
                return e;
        extend_timer(r->deadline_timer, &r->deadline_usec, usec);
        extend_timer(r->confirm_timer, &r->confirm_deadline_usec, usec);
        bus_signal_changed(r, changes);
        return 0;
}

static int on_caller_gone(sd_bus_track *t, void *userdata)
{
        (void)removal_cancel(userdata, "its caller left the bus", NULL);
        return 0;
}

int removal_bind_caller(Removal *r, sd_bus_message *m)
{
        int e;

        e = sd_bus_track_new(sd_bus_message_get_bus(m), &r->caller, on_caller_gone, r);
        return e < 0 ? e : sd_bus_track_add_sender(r->caller, m);
}

/* --- the end --- */

static void frozen_text(const Removal *r, char *buf, size_t size)
{
        char frozen[TIMESPAN_MAX], estimate[TIMESPAN_MAX];

        if (r->frozen_usec > 0)
                (void)snprintf(buf, size, ", frozen for %s (estimated %s)",
                        format_timespan(frozen, r->frozen_usec),
                        format_timespan(estimate, r->plan->estimate_usec));
}

static void log_end(const Removal *r)
{
        static const struct {
                int level;
                const char *message_id;
                const char *text;
        } ends[_REMOVAL_STATE_MAX] = {
                [REMOVAL_SUCCEEDED] = { LOG_NOTICE, MESSAGE_REMOVED, "removed" },
                [REMOVAL_PARTIAL] = { LOG_ERR, MESSAGE_PARTIAL, "removed only in part" },
                [REMOVAL_ROLLED_BACK] = { LOG_WARNING, MESSAGE_ROLLED_BACK,
                        "everything is as before" },
                [REMOVAL_STUCK] = { LOG_CRIT, MESSAGE_STUCK, "stuck, a human is needed" },
        };
        bool recovered = r->recovered && r->state != REMOVAL_STUCK;
        bool gone = r->vanished && r->state == REMOVAL_ROLLED_BACK;
        char text[1400] = "", frozen[2 * TIMESPAN_MAX + 48] = "";

        if (r->failure.kind != FAILURE_NONE)
                (void)failure_text(&r->failure, text, sizeof(text));
        frozen_text(r, frozen, sizeof(frozen));
        removal_log(r, r->request->dry_run ? LOG_INFO : ends[r->state].level,
                recovered             ? MESSAGE_RECOVERED
                : r->request->dry_run ? NULL
                                      : ends[r->state].message_id,
                NULL, r->failure.node, "%s%s%s%s%s%s",
                r->request->dry_run ? "dry run, nothing was done"
                : gone              ? "not removed by it"
                                    : ends[r->state].text,
                recovered ? ", after recovery" : "", frozen, *text ? " (" : "", text,
                *text ? ")" : "");
}

/* How it ended, for the ledger. NULL: no memory. */
static Record *last_word(const Removal *r)
{
        const Failure *f = r->failure.kind == FAILURE_NONE ? NULL : &r->failure;
        _cleanup_(record_freep) Record *rec = record_new("finished", NULL);
        char err[16], ended[24];
        const char *const words[][2] = {
                { "result", r->result },
                { "state", removal_state_to_string(r->state) },
                { "kind", f ? failure_info(f->kind)->name : NULL },
                { "err", f ? err : NULL },
                { "step", f ? f->step : NULL },
                { "node", f ? f->node : NULL },
                { "sentence", f ? f->sentence : NULL },
                { "ended", ended },
        };

        (void)snprintf(err, sizeof(err), "%d", f ? -f->err : 0);
        (void)snprintf(ended, sizeof(ended), "%" PRIu64, r->ended_realtime_usec);
        for (size_t i = 0; rec && i < ELEMENTSOF(words); i++)
                if (words[i][1] && record_set(rec, words[i][0], words[i][1]) < 0)
                        return NULL;
        return TAKE_PTR(rec);
}

/* Past the commit point a worker goes on although it cannot write, on a full /run say. What it told
 * us is written as soon as there is room: the next daemon would take the removal for one that was
 * cut off, and its memory for gone by another hand. */
static int append_last_word(const Removal *r, Ledger *l)
{
        _cleanup_(record_freep) Record *rec = NULL;

        if (r->last_word == _REMOVAL_STATE_INVALID || ledger_last(l, "finished"))
                return 0;
        rec = last_word(r);
        return rec ? ledger_append(l, rec) : -ENOMEM;
}

/* From here on a daemon that reads the ledger back has nothing to tell any more. */
static int append_reported(const Removal *r)
{
        _cleanup_(record_freep) Record *rec = record_new("reported", NULL);
        _cleanup_(ledger_freep) Ledger *l = NULL;
        int e = rec ? 0 : -ENOMEM;

        if (e == 0)
                e = ledger_load(r->ledger_path, policy_find_step, &l);
        if (e == 0)
                e = append_last_word(r, l);
        return e < 0 ? e : ledger_append(l, rec);
}

/* Without it everything would be told once more: one allocation that failed is not worth that. */
static void mark_reported(Removal *r)
{
        int e = -ENOMEM;

        if (!r->ledger_path || r->replaying)
                return;
        for (int i = 0; i < 3 && e == -ENOMEM; i++)
                e = append_reported(r);
        if (e < 0)
                removal_log(r, LOG_WARNING, NULL, NULL, NULL, "its ledger could not be closed: %s",
                        strerror(-e));
}

static void tell_bus(Removal *r)
{
        if (r->announced && (r->state == REMOVAL_ROLLED_BACK || r->state == REMOVAL_STUCK))
                bus_signal_prepare(r, false);
        bus_signal_finished(r);
        mark_reported(r);
}

/* Who listens to the name hears nothing from a connection that does not own it yet: the bus matches
 * sender= against the owner at that moment. What was recovered often ends before. */
static void tell_end(Removal *r)
{
        log_end(r);
        r->untold = !r->replaying && r->manager->bus && !r->manager->owns_name;
        if (!r->untold)
                tell_bus(r);
}

void removal_tell_held_back(Removal *r)
{
        if (!r->untold)
                return;
        r->untold = false;
        tell_bus(r);
}

/* It ended while no daemon was there: by its own worker, or by --recover. */
static void tell_late(Removal *r)
{
        r->recovered = true;
        tell_end(r);
}

/* No worker ever had this ledger: nobody else writes its last word. */
static void close_own_ledger(Removal *r)
{
        _cleanup_(record_freep) Record *rec = r->ledger ? last_word(r) : NULL;

        if (!r->ledger)
                return;
        if (!rec || ledger_append(r->ledger, rec) < 0)
                removal_log(r, LOG_WARNING, NULL, NULL, NULL, "its ledger could not be closed");
        r->ledger = ledger_free(r->ledger);
        if (r->request->dry_run) {
                (void)unlink(r->ledger_path);
                free(TAKE_PTR(r->ledger_path));
        }
}

static int on_expiry(sd_event_source *s, uint64_t usec, void *userdata)
{
        Removal *r = userdata;

        manager_drop_removal(r->manager, r);
        return 0;
}

/* A removal read back after a restart has part of its hour behind it. */
static uint64_t age_usec(const Removal *r)
{
        struct stat st;
        uint64_t then, now = now_realtime_usec();

        if (!r->replaying || stat(r->ledger_path, &st) < 0)
                return 0;
        then = (uint64_t)st.st_mtime * USEC_PER_SEC;
        return now > then ? MIN_OF(now - then, KEEP_USEC) : 0;
}

/* What needs a human stays until the machine restarts. */
static void arm_expiry(Removal *r)
{
        if (r->state == REMOVAL_STUCK)
                return;
        (void)sd_event_add_time(r->manager->event, &r->expiry_timer, CLOCK_MONOTONIC,
                usec_add(now_usec(), KEEP_USEC - age_usec(r)), KEEP_ACCURACY_USEC, on_expiry, r);
}

void removal_close(Removal *r)
{
        r->caller = sd_bus_track_unref(r->caller);
        close_own_ledger(r);
        tell_end(r);
        arm_expiry(r);
        removal_wait_answer(r);
}
