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
 *
 * A step that fails is itself reverted, because its effect may be partial.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"
#include "util/record.h"

typedef struct Run Run;
typedef struct Step Step;

typedef struct StepOps {
        const char *name;  /* word in the plan */
        const char *title; /* what it does to its node, for people: "unmounting" */
        int (*check)(const Step *s, Run *run, Failure *f);
        int (*apply)(const Step *s, Run *run, Failure *f);
        int (*revert)(const Step *s, Run *run, Failure *f);
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

/* --- what a run offers to its steps (run.c) --- */

struct Plan;

struct Run {
        const struct Plan *plan;
        int cancel_fd;  /* readable when somebody asks to stop; -EBADF once past the commit point */
        bool committed;
        bool (*confirmed)(Run *run, uint64_t deadline_usec); /* waits for Confirm */
        int (*note)(Run *run, const Record *r);              /* ledger, then parent */
        void *userdata;
        struct Held *held;
        size_t n_held;
};

/* Appends "verb NODE key=value..." to the ledger and tells the parent. fields: key, value pairs up
 * to a NULL key. Failing to write the ledger is a failure of the step. */
int run_note(Run *run, const char *verb, const char *name, ...) __attribute__((sentinel))
        _must_check_;

/* Descriptors and children that one step opens and a later one uses, by key ("claim:pmem0"). They
 * live as long as the worker and no longer; no revert may need them. */
int run_hold(Run *run, const char *key, int fd, pid_t pid) _must_check_;
int run_held_fd(Run *run, const char *key);
pid_t run_held_pid(Run *run, const char *key);
void run_drop(Run *run, const char *key);

/* -ECANCELED with the Failure filled when somebody asked to stop. */
int run_check_cancel(Run *run, Failure *f) _must_check_;

/* The steps; each lives in the file of its name. */
extern const StepOps step_announce;
extern const StepOps step_signal;
extern const StepOps step_unmount;
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
