/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Policy decides. Pure: configuration, topology and request go in, a plan or all the blockers at
 * once come out; no system call is made here. */

#include <sys/types.h>

#include "config.h"
#include "inhibitor.h"
#include "plan.h"
#include "util/graph.h"

typedef struct Request {
        char *target;
        Mode mode; /* _MODE_INVALID: the policy's */
        bool dry_run;
        bool hold_before_commit;
        bool eject;
        bool ignore_inhibitors;
        bool bind_to_caller;
        char *reason;
        char *transaction_id;
        char *plan_id;         /* refuse as PlanChanged unless the plan has this id */
        uint64_t timeout_usec; /* of the whole removal up to the commit point; 0: none */
        uint64_t confirm_timeout_usec;
        char **overrides; /* named checks; the list is in policy-overrides.c */
        uid_t uid;
} Request;

Request *request_free(Request *r);
DEFINE_CLEANUP(Request *, request_free);
Request *request_new(void);
/* As records and back ("request TARGET mode=... reason=..."): head of a ledger. */
int request_to_record(const Request *r, Record **ret) _must_check_;
int request_from_record(const Record *r, Request **ret) _must_check_;

typedef struct Verdict {
        Plan *plan;        /* NULL when refused */
        Failure *blockers; /* every reason, with the node that causes it */
        size_t n_blockers;
        char *mode;             /* "graceful", "auto", "forced": as it will be tried */
        uint64_t estimate_usec; /* frozen time the forced road would cost; 0 without one */
        char *closure;          /* names of namespaces and regions, blank separated */
} Verdict;

Verdict *verdict_free(Verdict *v);
DEFINE_CLEANUP(Verdict *, verdict_free);

/* f: only when the question itself is bad (unknown target) or memory is out. A refusal is a Verdict
 * without a plan. Marks the closure in g. */
int policy_decide(
        const Config *c, Graph *g, const Request *req, Verdict **ret, Failure *f) _must_check_;

/* Adds what an application says about removals to the snapshot that will be decided on; what its
 * target means there is protected, too. Uses the graph's marks. */
int policy_add_inhibitor(Graph *g, const Inhibitor *i) _must_check_;
/* Names of the namespaces and regions that go when this target goes. Uses the graph's marks. */
int policy_closure(Graph *g, const char *target, char ***ret, Failure *f) _must_check_;

/* Again for MaxRemoved=, when other removals may have begun since the verdict; their namespaces
 * have "removal", and the closure is marked. */
int limits_check_removed(
        const Config *c, const Graph *g, const Request *req, Failure *f) _must_check_;

/* The pipeline table is the registry of steps by which a plan is read back. */
const StepOps *policy_find_step(const char *name);

/* Verdict (and the topology it was made from; NULL: none) as text, for the pipe between planner and
 * daemon, or in its place the failure of a bad question. verdict_parse() gives such a failure back
 * in f, with a negative errno. */
int verdict_print(const Verdict *v, const Graph *g, char **ret) _must_check_;
int verdict_print_failure(const Failure *f, char **ret) _must_check_;
int verdict_parse(const char *text, Verdict **ret, Graph **ret_graph, Failure *f) _must_check_;
