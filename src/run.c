/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker's engine. There is one way forward (advance) and one way back (roll_back), and a fresh
 * removal, a failed step, a dead worker and a dead daemon all use these two on the same ledger.
 * What may have been done is in the ledger; what is, each revert asks the kernel. */

#include "run.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "step/sleeper.h"
#include "step/vanished.h"
#include "util/fault.h"
#include "util/text.h"

#define MESSAGE_MAX 512
#define PROGRESS_EVERY_USEC USEC_PER_SEC
#define REVERT_TRIES 3
#define REVERT_PAUSE_USEC (200 * USEC_PER_MSEC)

struct Run {
        Ledger *ledger;
        int socket_fd;
        bool committed;
        FailureKind stop; /* why somebody asked to stop; FAILURE_NONE: nobody did */
        bool orphan;      /* the parent is gone */
        bool confirmed;
        bool proceed;
        unsigned rung;
        uint64_t last_progress_usec;
        char last_progress[512];
        Held *held;
        size_t n_held;
};

const Plan *run_plan_of(const Run *run)
{
        return run->ledger->plan;
}

bool run_only_planned(const Run *run)
{
        return run->ledger->request->plan_id;
}

bool run_committed(const Run *run)
{
        return run->committed;
}

int run_cancel_fd(const Run *run)
{
        return run->committed ? -EBADF : run->socket_fd;
}

bool run_has_climbed(const Run *run)
{
        return run->rung > 1;
}

bool run_can_climb(const Run *run)
{
        return !run->committed && run->rung < run->ledger->plan->n_roads;
}

/* Never waits: a parent that is stopped must not keep a filesystem frozen. What it misses here it
 * reads from the ledger. */
void run_tell(Run *run, const Record *r)
{
        _cleanup_(freep) char *line = record_print(r);

        if (line && run->socket_fd >= 0)
                (void)send(run->socket_fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int note_record(Run *run, const Record *r)
{
        int e = ledger_append(run->ledger, r);

        run_tell(run, r);
        return run->committed ? 0 : e;
}

int run_note(Run *run, const char *verb, const char *name, ...)
{
        _cleanup_(record_freep) Record *r = record_new(verb, name);
        const char *key;
        va_list ap;
        int e = 0;

        if (!r)
                return -ENOMEM;
        va_start(ap, name);
        while (e == 0 && (key = va_arg(ap, const char *))) {
                const char *value = va_arg(ap, const char *);

                if (value)
                        e = record_set(r, key, value);
        }
        va_end(ap);
        return e < 0 ? e : note_record(run, r);
}

static const char *step_number(const Step *s, char buf[static 16])
{
        (void)snprintf(buf, 16, "%u", s->number);
        return buf;
}

void run_progress(Run *run, const Step *s, const char *fmt, ...)
{
        char text[512], number[16];
        uint64_t now = now_usec();
        va_list ap;

        if (now - run->last_progress_usec < PROGRESS_EVERY_USEC)
                return;
        run->last_progress_usec = now;
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        /* What sleeps for days must not fill the disk that the ledger is on. */
        if (streq(text, run->last_progress))
                return;
        memcpy(run->last_progress, text, sizeof(text));
        (void)run_note(run, "progress", step_number(s, number), "text", text, NULL);
}

const Record *run_recall(const Run *run, const char *verb, const char *name)
{
        const Ledger *l = run->ledger;

        for (size_t i = l->n_records; i > 0; i--) {
                const Record *r = l->records[i - 1];

                if (streq(r->verb, verb) && (!name || (r->name && streq(r->name, name))))
                        return r;
        }
        return NULL;
}

const Record *run_noted(const Run *run, const char *verb, size_t i)
{
        const Ledger *l = run->ledger;

        for (size_t k = 0; k < l->n_records; k++)
                if (streq(l->records[k]->verb, verb) && i-- == 0)
                        return l->records[k];
        return NULL;
}

const Record *run_process(const Run *run, size_t i)
{
        const Plan *p = run->ledger->plan;

        return i < p->n_processes ? p->processes[i]
                                  : run_noted(run, "newcomer", i - p->n_processes);
}

void run_facts(const Run *run, RunFacts *ret)
{
        const Request *req = run->ledger->request;

        *ret = (RunFacts){
                .id = run->ledger->id,
                .target = req->target,
                .reason = req->reason,
                .transaction = req->transaction_id,
                .road = plan_road(run->ledger->plan, run->rung),
        };
}

/* The last that was said about its freeze, NULL: nothing ever. */
static const char *frost_of(const Run *run, const char *filesystem)
{
        static const char *const verbs[] = { "freezing", "frozen", "not-frozen", "thawed" };
        const Ledger *l = run->ledger;

        for (size_t i = l->n_records; i > 0; i--)
                for (size_t k = 0; k < ELEMENTSOF(verbs); k++)
                        if (streq(l->records[i - 1]->verb, verbs[k]) &&
                                streq(strempty(l->records[i - 1]->name), filesystem))
                                return verbs[k];
        return NULL;
}

bool run_frozen(const Run *run, const char *filesystem)
{
        const char *last = strempty(frost_of(run, filesystem));

        return streq(last, "freezing") || streq(last, "frozen");
}

bool run_not_frozen(const Run *run, const char *filesystem)
{
        return streq(strempty(frost_of(run, filesystem)), "not-frozen");
}

bool run_stands(const Run *run, const char *op)
{
        const Plan *p = run->ledger->plan;

        for (size_t i = 0; i < p->n_steps; i++)
                if (streq(p->steps[i].ops->name, op) &&
                        ledger_began(run->ledger, p->steps[i].number))
                        return true;
        return false;
}

bool run_failed(const Run *run)
{
        const Ledger *l = run->ledger;

        for (size_t i = l->n_records; i > 0; i--) {
                const char *verb = l->records[i - 1]->verb;

                if (streq(verb, "fail") || streq(verb, "climb"))
                        return streq(verb, "fail");
        }
        return false;
}

int run_commit(Run *run)
{
        int r = run->committed ? 0 : run_note(run, "committed", NULL, NULL);

        run->committed |= r == 0;
        return r;
}

static int hold(Run *run, const char *key, Held what)
{
        Held *grown = reallocarray(run->held, run->n_held + 1, sizeof(Held));

        if (!grown)
                return -ENOMEM;
        run->held = grown;
        (void)snprintf(what.key, sizeof(what.key), "%s", key);
        run->held[run->n_held++] = what;
        return 0;
}

int run_hold(Run *run, const char *key, int fd)
{
        return hold(run, key, (Held){ .fd = fd });
}

int run_hold_object(Run *run, const char *key, void *object, void (*drop)(void *))
{
        return hold(run, key, (Held){ .fd = -EBADF, .object = object, .drop = drop });
}

const Held *run_held(const Run *run, const char *key)
{
        for (size_t i = 0; i < run->n_held; i++)
                if (streq(run->held[i].key, key))
                        return &run->held[i];
        return NULL;
}

static void let_go(Held *h)
{
        (void)safe_close(h->fd);
        if (h->drop)
                h->drop(h->object);
}

void run_drop(Run *run, const char *key)
{
        for (size_t i = 0; i < run->n_held; i++) {
                if (!streq(run->held[i].key, key))
                        continue;
                let_go(&run->held[i]);
                run->held[i] = run->held[--run->n_held];
                return;
        }
}

static void hear(Run *run, const char *line)
{
        _cleanup_(record_freep) Record *r = NULL;

        if (record_parse(line, &r) < 0)
                return;
        if (streq(r->verb, "confirm"))
                run->confirmed = true;
        if (streq(r->verb, "proceed"))
                run->proceed = true;
        if (streq(r->verb, "cancel")) {
                FailureKind kind = failure_kind_from_string(strempty(record_get(r, "reason")));

                run->stop = kind == FAILURE_TIMED_OUT ? kind : FAILURE_CANCELLED;
        }
        /* The parent sees that it went, not by whom. */
        if (streq(r->verb, "look") && vanished_look(run) && run->stop == FAILURE_NONE)
                run->stop = FAILURE_VANISHED;
}

static void listen_to_parent(Run *run)
{
        for (;;) {
                char line[MESSAGE_MAX + 1];
                ssize_t n = recv(run->socket_fd, line, MESSAGE_MAX, MSG_DONTWAIT);

                if (n < 0)
                        return;
                if (n == 0) {
                        run->orphan = run->stop == FAILURE_NONE;
                        if (run->orphan)
                                run->stop = FAILURE_CANCELLED;
                        run->socket_fd = -EBADF;
                        return;
                }
                line[n] = '\0';
                hear(run, line);
        }
}

int run_check_cancel(Run *run, Failure *f)
{
        if (run->socket_fd >= 0)
                listen_to_parent(run);
        if (run->committed || run->stop == FAILURE_NONE)
                return 0;
        if (run->stop == FAILURE_TIMED_OUT)
                (void)failure_set(f, run->stop, -ETIMEDOUT, NULL,
                        "the time allowed for this removal is over; everything was undone");
        else if (run->stop == FAILURE_VANISHED)
                vanished_tell(run, f);
        else
                (void)failure_set(f, run->stop, -ECANCELED, NULL, "%s; everything was undone",
                        run->orphan ? "the daemon died" : "the removal was cancelled");
        return -ECANCELED;
}

/* Until the parent has said a word. -ETIMEDOUT at the deadline, -ENOTCONN when there never was a
 * parent, -ECANCELED with f filled when somebody asked to stop. */
static int wait_word(Run *run, const bool *said, uint64_t deadline_usec, Failure *f)
{
        int r;

        while ((r = run_check_cancel(run, f)) == 0 && !*said) {
                struct pollfd p = { .fd = run->socket_fd, .events = POLLIN };

                if (run->socket_fd < 0)
                        return -ENOTCONN;
                if (now_usec() >= deadline_usec)
                        return -ETIMEDOUT;
                if (poll(&p, 1, poll_timeout_ms(deadline_usec)) < 0 && errno != EINTR)
                        return -errno;
        }
        return r;
}

int run_wait_confirm(Run *run, Failure *f)
{
        int r = wait_word(run, &run->confirmed, USEC_INFINITY, f);

        if (r == -ENOTCONN)
                return failure_set(
                        f, FAILURE_CANCELLED, -ECANCELED, NULL, "nobody is left who could confirm");
        /* Whichever of the two times ran out: with a yes it would not have. */
        if (r < 0 && run->stop == FAILURE_TIMED_OUT && f) {
                *f = (Failure){ 0 };
                (void)failure_set(f, FAILURE_TIMED_OUT, -ETIMEDOUT, NULL,
                        "nobody confirmed in time; everything was undone");
        }
        return r;
}

int run_wait_proceed(Run *run, uint64_t deadline_usec, Failure *f)
{
        return wait_word(run, &run->proceed, deadline_usec, f);
}

static int note_failure(Run *run, const char *verb, const Step *s, const Failure *f)
{
        char number[16], err[16];

        (void)snprintf(err, sizeof(err), "%d", -f->err);
        return run_note(run, verb, step_number(s, number), "kind", failure_info(f->kind)->name,
                "err", err, "step", f->step, "node", f->node, "sentence", f->sentence, NULL);
}

/* Names the step, and makes a failure of an errno that no step understood. */
static void complete_failure(Failure *f, const Step *s, int r)
{
        (void)failure_set(
                f, FAILURE_FAILED, r, step_node(s), "%s failed: %s", s->ops->title, strerror(-r));
        if (!*f->step)
                (void)snprintf(f->step, sizeof(f->step), "%s", s->ops->name);
}

/* A child that asked the kernel was killed (by the OOM killer, who does not know what it is for),
 * so nobody has answered yet. Past the commit point, where apply may be repeated, it is asked once
 * more; before it, the way back is open. */
static int apply_asked_twice(Run *run, const Step *s, Failure *f)
{
        int r = s->ops->apply(s, run, f);

        if (r != -EOWNERDEAD || !run->committed)
                return r;
        *f = (Failure){ 0 };
        return s->ops->apply(s, run, f);
}

static int apply_step(Run *run, const Step *s, Failure *f)
{
        char number[16];
        int r;

        r = run_check_cancel(run, f);
        if (r == 0)
                r = run_note(run, "begin", step_number(s, number), "step", s->ops->name, "node",
                        s->args->name, NULL);
        fault_step(number);
        if (r == 0)
                r = fault_point("before", NULL);
        if (r == 0)
                r = apply_asked_twice(run, s, f);
        if (r == 0)
                r = fault_point("after", NULL);
        if (r == 0 && streq(s->ops->name, "commit"))
                run->committed = true;
        if (r == 0)
                return run_note(run, "end", step_number(s, number), NULL);
        complete_failure(f, s, r);
        (void)note_failure(run, "fail", s, f);
        return r;
}

static bool takes_part(const Run *run, const Step *s)
{
        return s->rung == 0 || s->rung == run->rung;
}

static int check_steps(Run *run, Failure *f)
{
        const Plan *p = run->ledger->plan;

        for (size_t i = 0; i < p->n_steps; i++) {
                const Step *s = &p->steps[i];
                int r = s->ops->check ? s->ops->check(s, run, f) : 0;

                if (r < 0) {
                        complete_failure(f, s, r);
                        (void)note_failure(run, "fail", s, f);
                        return r;
                }
        }
        return 0;
}

/* The target is still in use and the plan knows another way: forget this failure, take it. */
static bool climb(Run *run, Failure *f)
{
        char rung[16];

        if (f->kind != FAILURE_BUSY || !run_can_climb(run))
                return false;
        (void)snprintf(rung, sizeof(rung), "%u", run->rung + 1);
        if (run_note(run, "climb", rung, "road", plan_road(run->ledger->plan, run->rung + 1),
                    NULL) < 0)
                return false;
        run->rung++;
        *f = (Failure){ 0 };
        return true;
}

/* "committed" does not prove that the unbind began: if every step begun since could still be
 * applied, nothing irreversible happened and the way back is open. A step "done" commits by itself
 * before it says to others what cannot be taken back. */
static bool nothing_irreversible(Run *run)
{
        const Ledger *l = run->ledger;
        bool past = false;

        for (size_t i = 0; i < l->plan->n_steps; i++) {
                const Step *s = &l->plan->steps[i];
                Failure ignored = { 0 };

                if (!takes_part(run, s))
                        continue;
                past |= streq(s->ops->name, "done");
                if (past && ledger_began(l, s->number) &&
                        (!s->ops->check || s->ops->check(s, run, &ignored) < 0))
                        return false;
                if (streq(s->ops->name, "commit"))
                        past = true;
        }
        return true;
}

/* Every step that has not ended, in order. Past the commit point a failing step does not keep the
 * later ones from running: what can still be cleaned up is, and the first cause is told. */
static int advance(Run *run, Failure *f)
{
        const Plan *p = run->ledger->plan;
        int first = 0;

        for (size_t i = 0; i < p->n_steps; i++) {
                const Step *s = &p->steps[i];
                Failure now = { 0 };
                int r;

                if (!takes_part(run, s) || ledger_ended(run->ledger, s->number))
                        continue;
                r = apply_step(run, s, &now);
                if (r < 0 && climb(run, &now)) {
                        i = (size_t)-1;
                        continue;
                }
                if (r < 0 && first == 0) {
                        first = r;
                        *f = now;
                }
                /* Refused before it began, by its own last check; a "partial" did something. */
                if (r < 0 && run->committed && now.kind != FAILURE_PARTIAL)
                        run->committed = !nothing_irreversible(run);
                if (r < 0 && !run->committed)
                        break;
                /* Its own effect may be partial: above all, nothing stays frozen. */
                if (r < 0 && s->ops->revert)
                        (void)s->ops->revert(s, run, &now);
        }
        return first;
}

static int revert_once(Run *run, const Step *s, Failure *f)
{
        int r = fault_point("revert-before", NULL);

        if (r == 0 && s->ops->revert)
                r = s->ops->revert(s, run, f);
        return r < 0 ? r : fault_point("revert-after", NULL);
}

/* What only says that memory is short, or that somebody killed the child that asked the kernel. */
static bool may_go_better(int r)
{
        return r == -ENOMEM || r == -EOWNERDEAD;
}

/* A revert is idempotent, and one that fails needs a human: it is not given up for nothing. */
static int revert_patiently(Run *run, const Step *s, Failure *f)
{
        int r = revert_once(run, s, f);

        for (int i = 0; i < REVERT_TRIES && may_go_better(r); i++) {
                *f = (Failure){ 0 };
                pause_usec(REVERT_PAUSE_USEC);
                r = revert_once(run, s, f);
        }
        return r;
}

static void note_lost(Run *run, const Step *s, Failure *f)
{
        char number[16], what[300];

        (void)snprintf(what, sizeof(what), "%s %s", s->ops->title, step_node(s));
        (void)run_note(
                run, "lost", step_number(s, number), "what", what, "sentence", f->sentence, NULL);
        *f = (Failure){ 0 };
}

static int revert_step(Run *run, const Step *s, Failure *f)
{
        char number[16];
        int r;

        sleeper_join(s, run);
        fault_step(step_number(s, number));
        r = revert_patiently(run, s, f);
        if (r < 0 && vanished_look(run) && vanished_explains(run, s)) {
                note_lost(run, s, f);
                r = 0;
        }
        if (r < 0) {
                complete_failure(f, s, r);
                (void)note_failure(run, "revert-failed", s, f);
                return r;
        }
        /* It is reverted also where that cannot be written: a later life asks the kernel again. */
        (void)run_note(run, "reverted", step_number(s, number), NULL);
        return 0;
}

/* In reverse, every step that may have been applied; one that cannot be reverted does not stop the
 * others, least of all a thaw. */
static int roll_back(Run *run, Failure *f)
{
        const Ledger *l = run->ledger;
        int first = 0;

        run->committed = false;
        (void)run_note(run, "rollback", NULL, NULL);
        for (size_t i = l->plan->n_steps; i > 0; i--) {
                const Step *s = &l->plan->steps[i - 1];
                Failure now = { 0 };
                int r;

                if (!ledger_began(l, s->number))
                        continue;
                r = revert_step(run, s, &now);
                if (r < 0 && first == 0) {
                        first = r;
                        *f = now;
                }
        }
        return first;
}

static int finish(Run *run, const Failure *f, const char *state)
{
        char err[16], ended[24];

        (void)snprintf(err, sizeof(err), "%d", -f->err);
        (void)snprintf(ended, sizeof(ended), "%" PRIu64, now_realtime_usec());
        return run_note(run, "finished", NULL, "result", failure_result(f->kind), "state", state,
                "kind", f->kind == FAILURE_NONE ? NULL : failure_info(f->kind)->name, "err", err,
                "step", f->step, "node", f->node, "sentence", f->sentence, "ended", ended, NULL);
}

/* What is left of a failed run: back when that is possible, and the truth about it. */
static int end_badly(Run *run, Failure *f)
{
        Failure undo = { 0 };

        bool vanished = vanished_look(run);

        if (run->committed) {
                f->kind = FAILURE_PARTIAL;
                (void)finish(run, f, "partial");
                return -EUCLEAN;
        }
        if (roll_back(run, &undo) == 0) {
                /* It may also have gone while everything was undone. */
                if (vanished_look(run) || vanished)
                        vanished_tell(run, f);
                (void)finish(run, f, "rolled-back");
                return f->err < 0 ? f->err : -EIO;
        }
        undo.kind = FAILURE_ROLLBACK_FAILED;
        (void)finish(run, &undo, "stuck");
        *f = undo;
        return -ENOTRECOVERABLE;
}

static void run_init(Run *run, Ledger *l, int socket_fd)
{
        *run = (Run){
                .ledger = l,
                .socket_fd = socket_fd,
                .rung = ledger_rung(l),
                .committed = ledger_committed(l),
        };
}

static void run_done(Run *run)
{
        for (size_t i = 0; i < run->n_held; i++)
                let_go(&run->held[i]);
        free(run->held);
}

int run_plan(Ledger *l, int socket_fd, Failure *f)
{
        Run run;
        int r;

        run_init(&run, l, socket_fd);
        r = check_steps(&run, f);
        if (r == 0)
                r = advance(&run, f);
        if (r == 0)
                r = finish(&run, f, "succeeded");
        else
                r = end_badly(&run, f);
        run_done(&run);
        return r;
}

/* The cause an earlier life of this run gave, or that it died. */
static void recall_failure(const Run *run, Failure *f)
{
        const Record *r = ledger_last(run->ledger, "fail");
        FailureKind kind =
                r ? failure_kind_from_string(strempty(record_get(r, "kind"))) : FAILURE_FAILED;

        if (r && kind > FAILURE_NONE) {
                (void)failure_set(f, kind, 0, record_get(r, "node"), "%s",
                        strempty(record_get(r, "sentence")));
                (void)snprintf(f->step, sizeof(f->step), "%s", strempty(record_get(r, "step")));
                return;
        }
        (void)failure_set(f, FAILURE_FAILED, -EOWNERDEAD, NULL,
                "the worker died before the removal was complete; everything was undone");
}

/* A filesystem that an earlier life froze has no thaw handle and perhaps no guardian any more, and
 * must not be unbound, or left, like that. */
static void take_up_again(Run *run)
{
        const Ledger *l = run->ledger;

        for (size_t i = l->plan->n_steps; i > 0; i--) {
                const Step *s = &l->plan->steps[i - 1];
                Failure ignored = { 0 };

                if (takes_part(run, s) && ledger_began(l, s->number) && s->ops->wanted &&
                        s->ops->wanted(s))
                        (void)revert_step(run, s, &ignored);
        }
}

int run_recover(Ledger *l, int socket_fd, Failure *f)
{
        Run run;
        int r;

        if (ledger_finished(l, NULL))
                return 0;
        run_init(&run, l, socket_fd);
        (void)run_note(&run, "recovering", NULL, NULL);
        if (run.committed && nothing_irreversible(&run))
                run.committed = false;
        if (run.committed) {
                take_up_again(&run);
                r = advance(&run, f);
                if (r == 0)
                        r = finish(&run, f, "succeeded");
                else
                        r = end_badly(&run, f);
        } else {
                recall_failure(&run, f);
                r = end_badly(&run, f);
                if (r != -ENOTRECOVERABLE)
                        r = 0;
        }
        run_done(&run);
        return r;
}
