/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The step contract.
 *
 * 1. check only reads. It answers "could apply work now?"; every check of a plan runs before the
 *    first apply.
 * 2. apply may be killed between any two instructions.
 * 3. revert is idempotent: it asks the kernel before it acts and succeeds when there is nothing to
 *    undo, also when apply never ran or ran halfway. It needs nothing but the printed plan, in a
 *    fresh process. NULL means irreversible and is allowed only at or after the commit step.
 * 4. Past the commit point apply itself is idempotent, because recovery goes forward by applying.
 * 5. Identity before action: device number, mount id, uuid, pid start time are compared again. A
 *    name that now means something else is a Failure, not a target.
 * 6. A step does not log and does not talk to clients: it fills the Failure and calls run_note().
 * 7. Every wait has a deadline from its own arguments and watches run->cancel_fd.
 * 8. What a step holds for later ones (run_hold) is gone with the worker; it has "wanted" then.
 *
 * A step that fails is itself reverted, because its effect may be partial.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"
#include "util/record.h"

typedef struct Plan Plan;
typedef struct Run Run;
typedef struct Step Step;

typedef struct StepOps {
        const char *name;  /* word in the plan */
        const char *title; /* what it does to its node, for people: "unmounting" */
        int (*check)(const Step *s, Run *run, Failure *f);
        int (*apply)(const Step *s, Run *run, Failure *f);
        int (*revert)(const Step *s, Run *run, Failure *f);
        /* For recovery past the commit point: is what apply holds (8) still wanted? It died with
         * its worker, so the step is reverted and applied once more. NULL: it holds nothing. */
        bool (*wanted)(const Step *s);
} StepOps;

struct Step {
        const StepOps *ops;
        Record *args;    /* verb "step", name = the node, keys = parameters and identity */
        unsigned number; /* from 1, as in the ledger */
        unsigned rung;   /* 0: always; 1, 2: only while the run stands on that rung */
};

static inline const char *step_node(const Step *s)
{
        return strempty(s->args->name);
}

static inline const char *step_get(const Step *s, const char *key)
{
        return record_get(s->args, key);
}

/* 0 when it is missing: plan_parse() has refused steps without the keys they need. */
uint64_t step_get_u64(const Step *s, const char *key);
dev_t step_get_dev(const Step *s, const char *key);

/* --- what a run offers to its steps (run-state.c, run-parent.c) --- */

/* Appends "verb NAME key=value..." to the ledger and tells the parent; the varargs are key, value
 * pairs up to a NULL key, pairs with a NULL value are left out. Before the commit point a ledger
 * that cannot be written is a failure of the step; after it the kernel's state goes first and the
 * result is 0. */
int run_note(Run *run, const char *verb, const char *name, ...) __attribute__((sentinel));
/* "progress": what a step waits for, for people. At most one per second reaches the ledger, and the
 * same is not said twice. */
void run_progress(Run *run, const Step *s, const char *fmt, ...) _printf_(3, 4);
/* For the parent only, and lost if it does not listen: what nobody needs once it is over. */
void run_tell(Run *run, const Record *r);
/* Tells the parent what it missed, if it did and has room for it by now: for waits that say nothing
 * for long. */
void run_catch_up(Run *run);
/* The newest record of that verb and name (NULL: any), or NULL: what an earlier life of this run
 * knew. */
const Record *run_recall(const Run *run, const char *verb, const char *name);
/* The i-th record of that verb, the oldest first; NULL past the end. */
const Record *run_noted(const Run *run, const char *verb, size_t i);

/* Descriptors and children that one step opens and a later one uses, by what they are and the name
 * of what they are for ("claim", "pmem0"); two names that differ only far behind are two. They live
 * as long as the worker and no longer; no revert may need them. The run owns them. */
typedef struct Held {
        const char *what; /* not copied */
        char *name;
        int fd;
        void *object;
        void (*drop)(void *object);
} Held;

int run_hold(Run *run, const char *what, const char *name, int fd) _must_check_;
int run_hold_object(Run *run, const char *what, const char *name, void *object,
        void (*drop)(void *)) _must_check_;
const Held *run_held(const Run *run, const char *what, const char *name);
void run_drop(Run *run, const char *what, const char *name);

/* For waits: readable when the parent says something; -EBADF past the commit point. */
int run_cancel_fd(const Run *run);
bool run_committed(const Run *run);
/* Reads what the parent said. -ECANCELED with the Failure filled when somebody asked to stop (or
 * the parent is gone); always 0 past the commit point. A wait that ended with -ECANCELED asks here.
 */
int run_check_cancel(Run *run, Failure *f) _must_check_;
/* Waits for the parent's "confirm". */
int run_wait_confirm(Run *run, Failure *f) _must_check_;

/* Waits for its "proceed". -ETIMEDOUT at the deadline; -ENOTCONN: nobody is there to say it. */
int run_wait_proceed(Run *run, uint64_t deadline_usec, Failure *f) _must_check_;

/* Processes of the plan and those that came later ("newcomer" records), each once. */
const Record *run_process(const Run *run, size_t i);

/* Only what was reviewed: the request was bound to a plan id, so whoever came since is not killed.
 */
bool run_only_planned(const Run *run);

const Plan *run_plan_of(const Run *run);
/* Is there another rung to climb to when this step says "busy"? */
bool run_can_climb(const Run *run);
/* Did another rung come before? Its steps may have done already what is asked for now. */
bool run_has_climbed(const Run *run);

/* For who must be told about this removal. */
typedef struct RunFacts {
        uint64_t id;
        const char *target;
        const char *reason;      /* NULL: none was given */
        const char *transaction; /* the same */
        const char *road;        /* on which the run stands */
} RunFacts;
void run_facts(const Run *run, RunFacts *ret);
/* Has this run begun to freeze this filesystem, and not thawed it since or been refused? */
bool run_frozen(const Run *run, const char *filesystem);
/* Was its last attempt refused, because it is somebody else who has frozen it? */
bool run_not_frozen(const Run *run, const char *filesystem);
/* Was it begun by a program that wrote neither "unbinding" (but on the forced road) nor "disabling"
 * before it did so? That the step began has to stand for it: what a daemon left that was replaced
 * in the middle of a removal is bound again. */
bool run_is_old(const Run *run);
/* Has this step been begun and not been reverted? */
bool run_began(const Run *run, const Step *s);
/* Has a step of that name been begun and not been reverted? */
bool run_stands(const Run *run, const char *op);
/* Did a step fail that nothing made up for? */
bool run_failed(const Run *run);
/* From here only forward, also without a commit step: nothing that was done may be undone any more.
 */
int run_commit(Run *run) _must_check_;

/* The steps; each lives in the file of its name. */
extern const StepOps step_query;
extern const StepOps step_announce;
extern const StepOps step_gate;
extern const StepOps step_opengate;
extern const StepOps step_readonly;
extern const StepOps step_automount;
extern const StepOps step_ungate;
extern const StepOps step_prepare;
extern const StepOps step_keepoff;
extern const StepOps step_stop_units;
extern const StepOps step_signal;
extern const StepOps step_unexport;
extern const StepOps step_unmount;
extern const StepOps step_loop;
extern const StepOps step_swapoff;
extern const StepOps step_deactivate;
extern const StepOps step_leg;
extern const StepOps step_stop;
extern const StepOps step_claim;
extern const StepOps step_confirm;
extern const StepOps step_kill;
extern const StepOps step_freeze;
extern const StepOps step_commit;
extern const StepOps step_unbind;
extern const StepOps step_settle;
extern const StepOps step_detach;
extern const StepOps step_flush;
extern const StepOps step_region;
extern const StepOps step_verify;
extern const StepOps step_done;
extern const StepOps step_vacate;
extern const StepOps step_offline;
