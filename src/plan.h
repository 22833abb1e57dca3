/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A plan: ordered steps with their targets and deadlines, as text. The text is the dry run, the
 * golden file of a policy test, the head of the ledger and the attachment of a bug report:
 *
 *     pmemremoved-plan 1
 *     target namespace0.0 kind=namespace mode=auto
 *     road graceful rung=1 why="..."
 *     road forced rung=2 why="..."
 *     process 812 start=4711 comm=db unit=db.service uses=dax,fd example=/mnt/pmem/db.pool
 *     step op=signal signal=15 wait=10000000
 *     step /mnt/pmem op=unmount rung=1 ...
 *     estimate usec=158000     not part of the id either: it changes with the number of processes
 *     # notes: explanation for people, not part of the id
 *     end
 *
 * Rungs: steps of rung 0 always run; those of rung 1 run first, and when one of them fails because
 * the target is still in use and there is a rung 2, the run climbs: it goes on at the first step of
 * rung 2 and leaves out what is left of rung 1. */

#include <stddef.h>

#include "failure.h"
#include "step/step.h"
#include "util/digest.h"

typedef const StepOps *(*StepLookup)(const char *name);

struct Plan {
        Record *target;
        Record **roads; /* [0] is rung 1 */
        size_t n_roads;
        Record **processes;
        size_t n_processes;
        Step *steps;
        size_t n_steps;
        uint64_t estimate_usec; /* frozen time if the forced road is taken; 0: there is none */
        char **notes;
        char id[DIGEST_MAX]; /* of the text without its notes; filled by plan_seal() */
};

Plan *plan_new(void);
Plan *plan_free(Plan *p);
DEFINE_CLEANUP(Plan *, plan_free);

/* The record is taken over on success. */
int plan_add_step(Plan *p, const StepOps *ops, unsigned rung, Record *args) _must_check_;
int plan_add_process(Plan *p, Record *r) _must_check_;
int plan_add_road(Plan *p, Record *r) _must_check_;
int plan_add_note(Plan *p, const char *fmt, ...) _printf_(2, 3) _must_check_;
/* Computes the id. */
int plan_seal(Plan *p) _must_check_;

int plan_print(const Plan *p, char **ret) _must_check_;
/* plan-json.c: for programs of the site. */
int plan_print_json(const Plan *p, char **ret) _must_check_;
/* -EPROTONOSUPPORT for another format version (a newer plan is refused loudly), -EBADMSG, -ENOENT
 * for a step that lookup() does not know. Stops after "end"; *ret_rest points behind it. */
int plan_parse(const char *text, StepLookup lookup, Plan **ret, const char **ret_rest) _must_check_;

/* "step 4 unmount /mnt/pmem": for people. */
const char *plan_step_text(const Step *s, char *buf, size_t size);
/* Word for the road on a rung: "graceful", "forced", "kill". */
const char *plan_road(const Plan *p, unsigned rung);
