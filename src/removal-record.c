/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One table: what each word of the ledger does to the picture of a removal, which property of the
 * bus object changes with it, and which event it stands for. The same words come live from a worker
 * and, after a restart, from the file. A word that is not in the table is newer than this program
 * or of interest to the worker only; it is passed over. */

#include "removal-record.h"

#include <inttypes.h>

#include "bus-signals.h"
#include "manager.h"
#include "messages.h"
#include "removal-awaited.h"
#include "removal-inhibit.h"
#include "removal-log.h"
#include "util/text.h"

/* What clients get to see is bounded, whatever a worker says. */
#define BLOCKERS_MAX 64
#define KILLED_MAX 100000

static const char *const step_state_names[_STEP_STATE_MAX] = {
        [STEP_PENDING] = "pending",
        [STEP_RUNNING] = "running",
        [STEP_DONE] = "done",
        [STEP_FAILED] = "failed",
        [STEP_REVERTED] = "reverted",
        [STEP_SKIPPED] = "skipped",
};

const char *step_state_to_string(StepState s)
{
        return step_state_names[s];
}

/* NULL when the record names no step of this plan. */
static const Step *record_step(const Removal *r, const Record *rec)
{
        uint64_t n;

        if (!rec->name || parse_u64(rec->name, &n) < 0 || n == 0 || n > r->plan->n_steps)
                return NULL;
        return &r->plan->steps[n - 1];
}

static void step_set(Removal *r, const Step *s, StepState state)
{
        if (s)
                r->steps[s->number - 1] = state;
}

static void set_text(char **member, const char *text)
{
        if (free_and_strdup(member, text) < 0)
                free(TAKE_PTR(*member));
}

static void blockers_clear(Removal *r)
{
        for (size_t i = 0; i < r->n_blockers; i++) {
                free(r->blockers[i].node);
                free(r->blockers[i].sentence);
        }
        free(r->blockers);
        r->blockers = NULL;
        r->n_blockers = 0;
}

static void killed_clear(Removal *r)
{
        for (size_t i = 0; i < r->n_killed; i++) {
                free(r->killed[i].comm);
                free(r->killed[i].unit);
                free(r->killed[i].reason);
        }
        free(r->killed);
        r->killed = NULL;
        r->n_killed = 0;
}

void removal_forget(Removal *r)
{
        blockers_clear(r);
        killed_clear(r);
        removal_awaited_clear(r);
        set_text(&r->step_text, NULL);
        set_text(&r->progress, NULL);
        for (size_t i = 0; r->steps && i < r->plan->n_steps; i++)
                r->steps[i] = STEP_PENDING;
        r->running = 0;
        r->rung = 1;
        r->frozen_usec = r->frozen_since_usec = 0;
        r->committed = false;
        r->vanished = strv_free(r->vanished);
        r->unbinding = strv_free(r->unbinding);
        r->failure = (Failure){ 0 };
        r->last_word = _REMOVAL_STATE_INVALID;
}

static void take_announce(Removal *r, const Record *rec)
{
        r->announced = true;
        if (!r->replaying)
                removal_delay_begin(r);
}

static void take_delay_over(Removal *r, const Record *rec)
{
        removal_delay_over(r, streq(strempty(record_get(rec, "how")), "timed-out"));
}

static void take_begin(Removal *r, const Record *rec)
{
        const Step *s = record_step(r, rec);
        char text[512];

        if (!s)
                return;
        step_set(r, s, STEP_RUNNING);
        r->running = s->number;
        r->running_since_usec = now_usec();
        set_text(&r->step_text, plan_step_text(s, text, sizeof(text)));
        set_text(&r->progress, NULL);
        blockers_clear(r);
        removal_awaited_clear(r);
        removal_log(r, LOG_INFO, NULL, s, NULL, "%s begins", text);
}

static void take_end(Removal *r, const Record *rec)
{
        const Step *s = record_step(r, rec);
        char text[512], span[TIMESPAN_MAX];

        if (!s)
                return;
        step_set(r, s, STEP_DONE);
        r->running = 0;
        removal_awaited_clear(r);
        set_text(&r->step_text, NULL);
        removal_log(r, LOG_INFO, NULL, s, NULL, "%s is done after %s",
                plan_step_text(s, text, sizeof(text)),
                format_timespan(span, now_usec() - r->running_since_usec));
}

/* The first cause is the one to tell; a climb forgives it. */
static void read_failure(const Record *rec, Failure *f)
{
        FailureKind kind = failure_kind_from_string(strempty(record_get(rec, "kind")));
        uint64_t err = 0;

        if (kind <= FAILURE_NONE || record_get_u64(rec, "err", &err) < 0 || err > 4095)
                err = 0;
        (void)failure_set(f, kind > FAILURE_NONE ? kind : FAILURE_FAILED, -(int)err,
                record_get(rec, "node"), "%s", strempty(record_get(rec, "sentence")));
        if (!*f->step)
                (void)snprintf(f->step, sizeof(f->step), "%s", strempty(record_get(rec, "step")));
}

static void take_fail(Removal *r, const Record *rec)
{
        const Step *s = record_step(r, rec);
        Failure now = { 0 };
        char text[1400];

        read_failure(rec, &now);
        if (r->failure.kind == FAILURE_NONE)
                r->failure = now;
        step_set(r, s, STEP_FAILED);
        r->running = 0;
        removal_awaited_clear(r);
        removal_log(r, LOG_WARNING, NULL, s, now.node, "%s failed: %s", s ? s->ops->name : "a step",
                failure_text(&now, text, sizeof(text)));
}

static void take_climb(Removal *r, const Record *rec)
{
        uint64_t rung;

        if (!rec->name || parse_u64(rec->name, &rung) < 0 || rung > r->plan->n_roads)
                return;
        r->rung = (unsigned)rung;
        r->failure = (Failure){ 0 };
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->plan->steps[i].rung != 0 && r->plan->steps[i].rung < rung &&
                        r->steps[i] == STEP_PENDING)
                        r->steps[i] = STEP_SKIPPED;
        removal_log(r, LOG_NOTICE, NULL, NULL, NULL,
                "it is still in use; it goes on on the %s road", plan_road(r->plan, r->rung));
}

static bool blocker_known(const Removal *r, const char *node, const char *sentence)
{
        for (size_t i = 0; i < r->n_blockers; i++)
                if (streq(r->blockers[i].node, node) && streq(r->blockers[i].sentence, sentence))
                        return true;
        return false;
}

static void take_held(Removal *r, const Record *rec)
{
        _cleanup_(freep) char *node =
                string_printf("%s (%s)", strempty(rec->name), strna(record_get(rec, "comm")));
        _cleanup_(freep) char *sentence = string_printf("it still holds: %s %s",
                strempty(record_get(rec, "uses")), strempty(record_get(rec, "example")));
        RemovalBlocker *grown;

        if (!node || !sentence || r->n_blockers >= BLOCKERS_MAX || blocker_known(r, node, sentence))
                return;
        grown = reallocarray(r->blockers, r->n_blockers + 1, sizeof(*grown));
        if (!grown)
                return;
        r->blockers = grown;
        removal_log(r, LOG_INFO, NULL, NULL, node, "process %s: %s", node, sentence);
        r->blockers[r->n_blockers++] = (RemovalBlocker){
                .kind = FAILURE_BUSY,
                .node = TAKE_PTR(node),
                .sentence = TAKE_PTR(sentence),
        };
}

/* Each hook that says no, with its reason. */
static void take_vetoed(Removal *r, const Record *rec)
{
        _cleanup_(freep) char *node = strdup(strempty(rec->name));
        _cleanup_(freep) char *sentence = strdup(strempty(record_get(rec, "text")));
        RemovalBlocker *grown = NULL;

        if (node && sentence && r->n_blockers < BLOCKERS_MAX)
                grown = reallocarray(r->blockers, r->n_blockers + 1, sizeof(*grown));
        if (!grown)
                return;
        r->blockers = grown;
        removal_log(r, LOG_NOTICE, NULL, NULL, node, "hook %s forbids it: %s", node, sentence);
        r->blockers[r->n_blockers++] = (RemovalBlocker){
                .kind = FAILURE_VETOED,
                .node = TAKE_PTR(node),
                .sentence = TAKE_PTR(sentence),
        };
}

static void take_hook_output(Removal *r, const Record *rec)
{
        removal_log(r, LOG_INFO, NULL, NULL, rec->name, "hook %s (%s): %s", strempty(rec->name),
                strempty(record_get(rec, "verb")), strempty(record_get(rec, "text")));
}

static void take_hook_ended(Removal *r, const Record *rec)
{
        removal_log(r, LOG_DEBUG, NULL, NULL, rec->name, "hook %s ended: %s", strempty(rec->name),
                strempty(record_get(rec, "status")));
}

static void take_killed(Removal *r, const Record *rec)
{
        RemovalKilled *k, *grown;
        pid_t pid;

        if (!rec->name || parse_pid(rec->name, &pid) < 0 || r->n_killed >= KILLED_MAX)
                return;
        grown = reallocarray(r->killed, r->n_killed + 1, sizeof(*grown));
        if (!grown)
                return;
        r->killed = grown;
        k = &r->killed[r->n_killed++];
        *k = (RemovalKilled){ .pid = (uint32_t)pid };
        set_text(&k->comm, record_get(rec, "comm"));
        set_text(&k->unit, record_get(rec, "unit"));
        set_text(&k->reason, record_get(rec, "reason"));
        removal_log(r, LOG_NOTICE, MESSAGE_PROCESS_KILLED, NULL, rec->name,
                "process %d (%s%s%s) was killed: %s", pid, strna(k->comm), k->unit ? ", " : "",
                strempty(k->unit), strna(k->reason));
        bus_signal_killed(r, k);
}

/* From the attempt on, not from its success: a scan can hang as soon as FIFREEZE has begun. */
static void take_freezing(Removal *r, const Record *rec)
{
        /* Read back from a ledger it is long ago. */
        if (record_get_u64(rec, "at", &r->frozen_since_usec) < 0)
                r->frozen_since_usec = now_usec();
}

static void take_not_frozen(Removal *r, const Record *rec)
{
        r->frozen_since_usec = 0;
        removal_log(r, LOG_NOTICE, NULL, NULL, rec->name,
                "somebody else has filesystem %s frozen, and it stays so", strempty(rec->name));
}

static void take_frozen(Removal *r, const Record *rec)
{
        if (r->frozen_since_usec == 0)
                r->frozen_since_usec = now_usec();
        removal_log(r, LOG_NOTICE, MESSAGE_FROZEN, NULL, rec->name, "filesystem %s is frozen",
                strempty(rec->name));
}

static void take_thawed(Removal *r, const Record *rec)
{
        char span[TIMESPAN_MAX];
        uint64_t usec = 0;

        if (record_get_u64(rec, "usec", &usec) < 0 && r->frozen_since_usec > 0)
                usec = now_usec() - r->frozen_since_usec;
        r->frozen_usec = usec_add(r->frozen_usec, usec);
        r->frozen_since_usec = 0;
        removal_log(r, LOG_NOTICE, MESSAGE_THAWED, NULL, rec->name,
                "filesystem %s is thawed after %s", strempty(rec->name),
                format_timespan(span, usec));
}

static void take_committed(Removal *r, const Record *rec)
{
        r->committed = true;
        removal_log(r, LOG_NOTICE, MESSAGE_COMMITTED, NULL, NULL,
                "the commit point is passed, from here it only goes forward");
}

/* Also out of "committed": recovery saw that the kernel had never begun. */
static void take_rollback(Removal *r, const Record *rec)
{
        r->committed = false;
        r->running = 0;
        removal_awaited_clear(r);
        r->delay_until_usec = 0;
        set_text(&r->step_text, NULL);
        set_text(&r->progress, "undoing what was done");
        removal_log(r, LOG_NOTICE, NULL, NULL, NULL, "it is being undone");
}

static void take_reverted(Removal *r, const Record *rec)
{
        const Step *s = record_step(r, rec);
        char text[512];

        if (!s)
                return;
        step_set(r, s, STEP_REVERTED);
        /* One that never got frozen has no "thawed". */
        if (streq(s->ops->name, "freeze"))
                r->frozen_since_usec = 0;
        if (record_get(rec, "lost"))
                return;
        removal_log(
                r, LOG_INFO, NULL, s, NULL, "%s is undone", plan_step_text(s, text, sizeof(text)));
}

static void take_revert_failed(Removal *r, const Record *rec)
{
        const Step *s = record_step(r, rec);
        Failure now = { 0 };
        char text[1400];

        read_failure(rec, &now);
        step_set(r, s, STEP_FAILED);
        removal_log(r, LOG_ERR, NULL, s, now.node, "%s could not be undone: %s",
                s ? s->ops->name : "a step", failure_text(&now, text, sizeof(text)));
}

static void take_progress(Removal *r, const Record *rec)
{
        set_text(&r->progress, record_get(rec, "text"));
        removal_log(r, LOG_DEBUG, NULL, record_step(r, rec), NULL, "%s", strempty(r->progress));
}

static void take_warn(Removal *r, const Record *rec)
{
        removal_log(r, LOG_WARNING, NULL, NULL, rec->name, "%s", strna(record_get(rec, "text")));
}

static void take_kept_off(Removal *r, const Record *rec)
{
        removal_log(r, LOG_NOTICE, NULL, NULL, rec->name, "%s: %s", strempty(rec->name),
                strna(record_get(rec, "text")));
}

static void take_kernel(Removal *r, const Record *rec)
{
        removal_log(r, LOG_INFO, NULL, NULL, rec->name, "the kernel says: %s",
                strna(record_get(rec, "text")));
}

static void take_signalled(Removal *r, const Record *rec)
{
        removal_log(r, LOG_INFO, NULL, NULL, rec->name, "process %s (%s) was sent %s: %s",
                strempty(rec->name), strna(record_get(rec, "comm")),
                strna(record_get(rec, "signal")), strempty(record_get(rec, "reason")));
}

static void take_newcomer(Removal *r, const Record *rec)
{
        removal_log(r, LOG_NOTICE, NULL, NULL, rec->name, "process %s (%s) has come since the plan",
                strempty(rec->name), strna(record_get(rec, "comm")));
}

static void take_left(Removal *r, const Record *rec)
{
        removal_log(r, LOG_INFO, NULL, NULL, rec->name, "process %s (%s) left after %s",
                strempty(rec->name), strna(record_get(rec, "comm")),
                strna(record_get(rec, "signal")));
}

static void take_holds(Removal *r, const Record *rec)
{
        bool again = streq(strempty(record_get(rec, "now")), "yes");

        removal_log(r, again ? LOG_NOTICE : LOG_INFO, NULL, NULL, rec->name, "process %s (%s) %s",
                strempty(rec->name), strna(record_get(rec, "comm")),
                again ? "holds it again" : "has let go and is left alone");
}

/* Told here, because it is no news any more when the removal has ended. */
static void take_vanished(Removal *r, const Record *rec)
{
        Device *d = device_table_find(r->manager->devices, strempty(rec->name));

        if (strv_contains(r->vanished, strempty(rec->name)) ||
                strv_append(&r->vanished, strempty(rec->name)) < 0)
                return;
        if (d && !r->replaying)
                manager_device_vanished(r->manager, d, r);
}

static void take_unbinding(Removal *r, const Record *rec)
{
        if (!strv_contains(r->unbinding, strempty(rec->name)) &&
                strv_append(&r->unbinding, strempty(rec->name)) < 0)
                removal_log(r, LOG_DEBUG, NULL, NULL, NULL, "no memory");
}

static void take_lost(Removal *r, const Record *rec)
{
        const Step *s = record_step(r, rec);

        removal_log(r, LOG_WARNING, NULL, s, NULL, "%s cannot be undone without the memory: %s",
                strempty(record_get(rec, "what")), strempty(record_get(rec, "sentence")));
}

static void take_recovering(Removal *r, const Record *rec)
{
        removal_awaited_clear(r);
        set_text(&r->progress, "finishing what a dead worker left");
}

/* Their data went with the memory; nobody else says that they are off. */
static void log_stopped_units(const Removal *r)
{
        for (size_t i = 0; i < r->plan->n_steps; i++) {
                const Step *s = &r->plan->steps[i];

                if (streq(s->ops->name, "stop-units") && r->steps[i] == STEP_DONE)
                        removal_log(r, LOG_NOTICE, NULL, s, NULL,
                                "stopped and left so: %s; systemctl start brings them back",
                                step_node(s));
        }
}

static void take_finished(Removal *r, const Record *rec)
{
        r->last_word = removal_state_from_string(strempty(record_get(rec, "state")));
        if (r->replaying && record_get_u64(rec, "ended", &r->ended_realtime_usec) < 0)
                r->ended_realtime_usec = 0;
        if (r->last_word != REMOVAL_ROLLED_BACK)
                log_stopped_units(r);
        if (r->last_word == REMOVAL_SUCCEEDED)
                r->failure = (Failure){ 0 };
        /* The first cause that a step gave, but for what happened to the whole. */
        else if (r->failure.kind == FAILURE_NONE || r->last_word != REMOVAL_ROLLED_BACK ||
                 r->vanished) {
                r->failure = (Failure){ 0 };
                read_failure(rec, &r->failure);
        }
        r->running = 0;
        set_text(&r->step_text, NULL);
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->steps[i] == STEP_PENDING)
                        r->steps[i] = STEP_SKIPPED;
}

static void take_reported(Removal *r, const Record *rec)
{
        r->reported = true;
}

static const char *const none[] = { NULL };
static const char *const step_changes[] = { "Step", "StepStates", "Progress", "Blockers", "Awaited",
        NULL };
static const char *const failure_changes[] = { "Step", "StepStates", "Error", "Road", "Awaited",
        NULL };
static const char *const progress_changes[] = { "Progress", NULL };
static const char *const awaited_changes[] = { "Awaited", "Progress", NULL };
static const char *const blocker_changes[] = { "Blockers", NULL };
static const char *const killed_changes[] = { "Killed", NULL };
static const char *const frozen_changes[] = { "FrozenUSec", NULL };

static const struct Word {
        const char *verb;
        void (*take)(Removal *r, const Record *rec);
        RemovalEvent event;
        const char *const *properties;
} words[] = {
        { "announce", take_announce, _EVENT_INVALID, none },
        { "delay-over", take_delay_over, _EVENT_INVALID, none },
        { "begin", take_begin, EVENT_STEP_BEGUN, step_changes },
        { "end", take_end, EVENT_STEP_ENDED, step_changes },
        { "fail", take_fail, EVENT_STEP_FAILED, failure_changes },
        { "climb", take_climb, EVENT_CLIMBED, failure_changes },
        { "held", take_held, _EVENT_INVALID, blocker_changes },
        { "vetoed", take_vetoed, _EVENT_INVALID, blocker_changes },
        { "hook-output", take_hook_output, _EVENT_INVALID, none },
        { "hook-ended", take_hook_ended, _EVENT_INVALID, none },
        { "killed", take_killed, _EVENT_INVALID, killed_changes },
        { "freezing", take_freezing, _EVENT_INVALID, none },
        { "not-frozen", take_not_frozen, _EVENT_INVALID, none },
        { "frozen", take_frozen, _EVENT_INVALID, frozen_changes },
        { "thawed", take_thawed, _EVENT_INVALID, frozen_changes },
        { "confirm-wanted", NULL, EVENT_CONFIRM_WANTED, none },
        { "committed", take_committed, EVENT_COMMITTED, none },
        { "rollback", take_rollback, EVENT_ROLLBACK, step_changes },
        { "reverted", take_reverted, _EVENT_INVALID, step_changes },
        { "revert-failed", take_revert_failed, _EVENT_INVALID, step_changes },
        { "progress", take_progress, _EVENT_INVALID, progress_changes },
        { "warn", take_warn, _EVENT_INVALID, none },
        { "kept-off", take_kept_off, _EVENT_INVALID, none },
        { "kernel", take_kernel, _EVENT_INVALID, none },
        { "signalled", take_signalled, _EVENT_INVALID, none },
        { "left", take_left, _EVENT_INVALID, none },
        { "newcomer", take_newcomer, _EVENT_INVALID, none },
        { "unbinding", take_unbinding, _EVENT_INVALID, none },
        { "vanished", take_vanished, _EVENT_INVALID, none },
        { "lost", take_lost, _EVENT_INVALID, none },
        { "holds", take_holds, _EVENT_INVALID, none },
        { "awaited", removal_awaited_take, _EVENT_INVALID, awaited_changes },
        { "recovering", take_recovering, _EVENT_INVALID, awaited_changes },
        { "lock-wait", take_progress, _EVENT_INVALID, progress_changes },
        { "complaint", take_warn, _EVENT_INVALID, none },
        { "finished", take_finished, _EVENT_INVALID, step_changes },
        { "reported", take_reported, _EVENT_INVALID, none },
};

static const struct Word *word_find(const char *verb)
{
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(words[i].verb, verb))
                        return &words[i];
        return NULL;
}

RemovalEvent removal_take(Removal *r, const Record *rec)
{
        const struct Word *w = word_find(rec->verb);

        if (!w)
                return _EVENT_INVALID;
        if (w->take)
                w->take(r, rec);
        return w->event;
}

bool removal_record_in_ledger(const char *verb)
{
        return !streq(verb, "lock-wait") && !streq(verb, "complaint") && !streq(verb, "awaited");
}

const char *const *removal_record_properties(const char *verb)
{
        const struct Word *w = word_find(verb);

        return w ? w->properties : none;
}
