/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Questions whose answer may take long: what is there, who uses it, what would be done about it.
 * Each is answered by a forked child with a deadline. */

#include "manager.h"

typedef struct PlannerAnswer {
        Failure failure;  /* FAILURE_NONE: the rest is there */
        Verdict *verdict; /* NULL when there was no request */
        Graph *graph;
} PlannerAnswer;

/* Called exactly once, never from within planner_ask(); what it takes out of the answer it owns. */
typedef void (*PlannerDone)(PlannerAnswer *a, void *userdata);

/* Nobody asks: it is the daemon that wants to know, and it can wait. */
#define PLANNER_NOBODY ((uid_t)-1)

/* req NULL: only the topology, without processes. It is borrowed until done() was called. uid: on
 * whose behalf. */
int planner_ask(Manager *m, const Request *req, uid_t uid, PlannerDone done, void *userdata,
        Failure *f) _must_check_;
/* Those that somebody waits for; the others could not be killed. */
size_t planner_n_asked(const Manager *m);
/* Starts those that waited for a thaw. */
void planner_start_waiting(Manager *m);
/* Answers all open questions with "the daemon is stopping". */
void planner_abort_all(Manager *m);
