/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/graph.h"

/* The only user of libndctl. Adds bus, dimm, region, namespace and the disks straight on them to
 * the graph (character devices are daxctl_scan()'s, partitions come with what else stands on a
 * disk), with the attributes kinds.h lists; namespaces of size 0 (seeds) are left out, disabled
 * ones have no driver=. A new context per call: libndctl never refreshes what it has cached
 * (kernel-facts 7). May block while an unbind runs (wait_probe takes the device locks), so it is
 * called from a planner or worker process only, never from the event loop. Negative errno; a
 * machine without nvdimm modules gives 0 and adds nothing. */
int nd_scan(Graph *g) _must_check_;
