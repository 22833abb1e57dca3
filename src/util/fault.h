/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Points at which a test makes this program die or fail, in a build made with
 * --enable-fault-injection; in any other build nothing of it is there.
 *
 * A test arms a fault by a file RUNDIR/faults/1 (to 4) with one Record:
 *
 *     fault before detail=7 by=worker whom="worker daemon" action=kill
 *
 * and the fault fires once: the file is then called "1.fired", and a line in it says who was hit.
 * The name is the place; "detail" (left out: any; a pattern of glob(7), for process ids) is the
 * number of the step, or for what is written the verb and the name of the record; "by" the role of
 * the process that must come there; "nth" counts, in that process, what matches, with
 * "since=1" only once fault 1 has fired. Actions:
 *
 *     kill, stop   whom="worker daemon guardian recovery below": SIGKILL or SIGSTOP, as if at one
 *                  instant; "recovery" is the unit's --recover, "below" the child of the worker
 *                  that came to the point
 *     fail         err=28: the point fails with this errno
 *     memory       after=37: the 37th allocation of this process from here on fails, wherever it is
 *
 * Where a file RUNDIR/faults/trace is, each point adds a line "PLACE ROLE THERE,... DETAIL" to it,
 * from which a test learns what there is to be tested.
 *
 * With "delay" (in microseconds) kill and stop come that much later, and meanwhile the process
 * goes on. With "stay=1" the fault fires again and again. */

#include <stdbool.h>
#include <stddef.h>

#if FAULT_INJECTION
/* Who this process is from now on: "daemon", "worker", "recovery". Its children inherit that. */
void fault_role(const char *role);
/* The step at work, the detail of points that have none of their own. */
void fault_step(const char *number);
/* 0, or the negative errno to fail with; or it does not return. */
int fault_point(const char *place, const char *detail);
/* Is this allocation to fail? Asked by every malloc(). */
bool fault_memory(void);
/* How much of a line of that size is to be written before it tears; all of it: it does not. */
size_t fault_tear(const char *detail, size_t size);
#else
/* Without optimization a plain inline function is a function, and this build would have a trace. */
#define FAULT_EMPTY static inline __attribute__((always_inline))

FAULT_EMPTY void fault_role(const char *role)
{
}

FAULT_EMPTY void fault_step(const char *number)
{
}

FAULT_EMPTY int fault_point(const char *place, const char *detail)
{
        return 0;
}

FAULT_EMPTY size_t fault_tear(const char *detail, size_t size)
{
        return size;
}
#endif
