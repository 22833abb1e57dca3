/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A holder kind: something that keeps a lower node in use. One file per kind; holder/table.c lists
 * them in the order in which they are discovered (a kind comes after those it can stand on). */

#include "failure.h"
#include "util/graph.h"

typedef struct HolderScan {
        Graph *graph;           /* what is known so far */
        uint64_t deadline_usec; /* CLOCK_MONOTONIC */
        bool processes;         /* also the expensive scan: who, not only what */
} HolderScan;

typedef struct HolderOps {
        const char *kind; /* node kind it adds, kinds.h */
        /* Adds a node for each holder of this kind above the nodes that are there, linked to what
         * it stands on. Only reads. An error makes the whole topology unknown, and unknown refuses.
         */
        int (*discover)(HolderScan *scan, Failure *f);
} HolderOps;

/* The filesystem on which a path lies, by the text of the mount points in any namespace: nothing
 * that could hang is asked. Something else mounted in between is no reason to hope, because it
 * keeps the filesystem in use as well. NULL: none of ours. */
Node *holder_filesystem_of(const Graph *g, const char *path);

extern const HolderOps holder_loop;
extern const HolderOps holder_partition;
extern const HolderOps holder_stacked;
extern const HolderOps holder_swap;
extern const HolderOps holder_filesystem;
extern const HolderOps holder_mount;
extern const HolderOps holder_process;

/* NULL-terminated. */
extern const HolderOps *const holder_table[];
