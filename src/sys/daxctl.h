/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/graph.h"

/* The only user of libdaxctl: adds a chardev node for each dax device that stands on a namespace
 * already in the graph. Negative errno; nothing to find is 0. */
int daxctl_scan(Graph *g) _must_check_;
