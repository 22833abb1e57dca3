/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The site's programs that are asked about a removal and told about it. */

#include "util/graph.h"

/* Longest name; it becomes part of a unit's. */
#define HOOK_NAME_MAX 128

/* A node for each of /usr/lib/pmemremoved/hooks.d, CONFDIR/pmemremoved/hooks.d and
 * RUNDIR/hooks.d, in the order they run; blocker= says why one is not to be trusted. root ("" for
 * the machine's) is put before every path. */
int hooks_scan(const char *root, Graph *g) _must_check_;

/* Why the program at path must not be run, as a sentence, or NULL when it may be. */
const char *hook_distrusted(const char *path, char *buf, size_t size);
