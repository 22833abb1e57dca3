/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A holder kind: something that keeps a lower node in use. One file per kind, one row in
 * holder/table.c. topology.c asks each kind about each node that it can stand on, also about nodes
 * that were found that way, so whatever stands on something that stands on the memory is found by
 * the same few lines as what stands on it directly. */

#include "failure.h"
#include "sys/mounts.h"
#include "util/graph.h"

typedef struct HolderScan {
        Graph *graph;           /* what is known so far */
        uint64_t deadline_usec; /* CLOCK_MONOTONIC */
        bool processes;         /* also the expensive scan: who, not only what */
        MountList mounts;       /* holder_mounts() */
        bool mounts_read;
} HolderScan;

typedef struct HolderOps {
        const char *kind;      /* node kind it adds, kinds.h */
        const char *const *on; /* node kinds it can stand on, up to NULL */
        /* Adds a node for each holder of this kind above that node, linked to it. Only reads. What
         * must not or cannot be taken away gets the attribute "blocker": a sentence with the
         * command that releases it. An error makes the whole topology unknown, and unknown refuses;
         * -ENOENT, -ENODEV, -ENXIO and -ESRCH mean that it changed meanwhile and is scanned anew.
         */
        int (*discover)(HolderScan *scan, Node *below, Failure *f);
        /* In the place of discover: once, after all the others, with everything they found. */
        int (*discover_all)(HolderScan *scan, Failure *f);
        /* For devices that the kernel lists in the "holders" directory of what they stand on
         * (holder/stacked.c): how their names begin, and the discovery of one of them. */
        const char *prefix;
        int (*discover_stacked)(HolderScan *scan, Node *below, const char *name, Failure *f);
} HolderOps;

/* Where superblocks, swap, tables and partitions can be: KIND_BLOCK and KIND_STACKED. */
extern const char *const holder_on_disks[];

/* A stacked device, once, linked to one of the things below it: type= is the word that policy and
 * its step know it by ("dm", "md", "loop"), what= is for people. */
int holder_add_stacked(HolderScan *scan, Node *below, const char *name, const char *type,
        const char *what, Node **ret) _must_check_;

/* One that nothing but its blocker= is known of. Name and what= are for people. */
int holder_add_blocker(HolderScan *scan, Node *below, const char *name, const char *what,
        const char *fmt, ...) _printf_(5, 6) _must_check_;

/* A filesystem, once, linked to one of the things it lies on. */
int holder_add_filesystem(HolderScan *scan, Node *below, const char *name, const char *type,
        const char *devnum, Node **ret) _must_check_;

/* Something that is given up without being asked and is not brought back by a rollback: a sentence
 * for people, in the plan (kinds.h, note=). */
int holder_add_note(Node *n, const char *fmt, ...) _printf_(2, 3) _must_check_;

/* What of ours a path of somebody's configuration leads to: the disk that it names, or the
 * filesystem that the file lies on. NULL: none. By device number, and by its text where nobody can
 * look (it is gone, or a dead server is in the way). Forks: for paths that are known to be in use.
 */
Node *holder_by_path(const Graph *g, const char *path);

/* Every mount of the machine, read once per scan. */
int holder_mounts(HolderScan *scan, const MountList **ret) _must_check_;
/* The disk or stacked device that its filesystem stands on; NULL: none of ours. */
Node *holder_mount_disk(const Graph *g, const Mount *m);
/* A mount, once, linked to below (its filesystem, or the mount it hides). */
int holder_add_mount(HolderScan *scan, Node *below, const Mount *m, Node **ret) _must_check_;

/* The node of this kind that has this device number, else NULL. */
Node *holder_by_dev(const Graph *g, const char *kind, dev_t dev);
/* The disk, partition or stacked device with this device number. */
Node *holder_disk_by_dev(const Graph *g, dev_t dev);

/* Does this path lie on the filesystem, by the text of its mount points in any namespace? Nothing
 * that could hang is asked. Something else mounted in between is no reason to hope, because it
 * keeps the filesystem in use as well. */
bool holder_lies_on(const Node *filesystem, const char *path);

extern const HolderOps holder_bcache;
extern const HolderOps holder_dm;
extern const HolderOps holder_fanotify;
extern const HolderOps holder_filesystem;
extern const HolderOps holder_footing;
extern const HolderOps holder_gadget;
extern const HolderOps holder_ghost;
extern const HolderOps holder_lio;
extern const HolderOps holder_loop;
extern const HolderOps holder_md;
extern const HolderOps holder_memory;
extern const HolderOps holder_mount;
extern const HolderOps holder_nested;
extern const HolderOps holder_overlay;
extern const HolderOps holder_nfsd;
extern const HolderOps holder_nvmet;
extern const HolderOps holder_partition;
extern const HolderOps holder_process;
extern const HolderOps holder_quota;
extern const HolderOps holder_stacked;
extern const HolderOps holder_swap;
extern const HolderOps holder_unit;
extern const HolderOps holder_xfs_device;
extern const HolderOps holder_zram;

/* NULL-terminated. */
extern const HolderOps *const holder_table[];
