/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A snapshot of the machine as a graph (kinds.h lists the nodes): what there is, and what a name
 * means in it. Never updated in place; a new question takes a new snapshot. */

#include <stdint.h>

#include "failure.h"
#include "util/graph.h"

typedef enum TopologyDepth {
        TOPOLOGY_DEVICES,   /* bus, dimm, region, namespace, block: cheap, for the object list */
        TOPOLOGY_HOLDERS,   /* and filesystems, mounts, swap, stacked devices */
        TOPOLOGY_PROCESSES, /* and who uses them */
} TopologyDepth;

/* May block for as long as the kernel lets libndctl wait: planner and worker processes only. */
int topology_scan(
        TopologyDepth depth, uint64_t deadline_usec, Graph **ret, Failure *f) _must_check_;

/* Which node a caller's word means: namespace0.0, region0, nmem0, ndbus0, pmem0, /dev/pmem0p1,
 * /dev/dax0.0, a mount point, a filesystem UUID or label (also UUID=, LABEL=), a sysfs path.
 * FAILURE_INVALID_TARGET (malformed), _NO_SUCH_TARGET, _AMBIGUOUS_TARGET. Pure. */
int topology_resolve(const Graph *g, const char *target, Node **ret, Failure *f) _must_check_;

/* Marks the closure: everything that must go when start goes - for a dimm every region it is part
 * of, for a partition its whole namespace - and everything that stands on it. Pure. */
void topology_mark_closure(Graph *g, Node *start);
