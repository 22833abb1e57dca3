/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker's engine. There is one way forward (advance) and one way back (roll_back), and a fresh
 * removal, a failed step, a dead worker and a dead daemon all use these two on the same ledger.
 * What may have been done is in the ledger; what is, each revert asks the kernel. */

#include <inttypes.h>

#include "run-internal.h"
#include "step/sleeper.h"
#include "step/vanished.h"
#include "util/fault.h"
#include "util/text.h"

#define REVERT_TRIES 3
#define REVERT_PAUSE_USEC (200 * USEC_PER_MSEC)

static int note_failure(Run *run, const char *verb, const Step *s, const Failure *f)
{
        char number[16], err[16];

        (void)snprintf(err, sizeof(err), "%d", -f->err);
        return run_note(run, verb, run_step_number(s, number), "kind", failure_info(f->kind)->name,
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
                r = run_note(run, "begin", run_step_number(s, number), "step", s->ops->name, "node",
                        s->args->name, NULL);
        /* Also when it was cancelled, and nothing was noted. */
        fault_step(run_step_number(s, number));
        if (r == 0)
                r = fault_point("before", NULL);
        if (r == 0)
                r = apply_asked_twice(run, s, f);
        if (r == 0)
                r = fault_point("after", NULL);
        if (r == 0 && streq(s->ops->name, "commit"))
                run->committed = true;
        if (r == 0)
                r = run_note(run, "end", run_step_number(s, number), NULL);
        if (r == 0)
                return 0;
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
        (void)run_note(run, "lost", run_step_number(s, number), "what", what, "sentence",
                f->sentence, NULL);
        *f = (Failure){ 0 };
}

static int revert_step(Run *run, const Step *s, Failure *f)
{
        bool lost = false;
        char number[16];
        int r;

        sleeper_join(s, run);
        fault_step(run_step_number(s, number));
        r = revert_patiently(run, s, f);
        if (r < 0 && vanished_look(run) && vanished_explains(run, s)) {
                note_lost(run, s, f);
                lost = true;
        } else if (r < 0) {
                complete_failure(f, s, r);
                (void)note_failure(run, "revert-failed", s, f);
                return r;
        }
        /* It is reverted also where that cannot be written: a later life asks the kernel again. */
        (void)run_note(
                run, "reverted", run_step_number(s, number), "lost", lost ? "yes" : NULL, NULL);
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

        (void)vanished_look(run);
        if (run->committed) {
                f->kind = FAILURE_PARTIAL;
                (void)finish(run, f, "partial");
                return -EUCLEAN;
        }
        if (roll_back(run, &undo) == 0) {
                /* It may also have gone while everything was undone. */
                if (vanished_look(run))
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
        run_let_go(&run);
        return r;
}

/* The cause an earlier life of this run gave, unless a climb has forgiven it, or that it died. */
static void recall_failure(const Run *run, Failure *f)
{
        const Record *r = run_failed(run) ? ledger_last(run->ledger, "fail") : NULL;
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
        run_let_go(&run);
        return r;
}
