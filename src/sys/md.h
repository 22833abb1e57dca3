/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Software RAID arrays: /sys/block/mdN/md, one ioctl, and mdadm for what only it knows how to do
 * (superblocks). Reading takes no lock of the array; what changes it is for a child of its own. */

#include <sys/types.h>

#include "util/text.h"

typedef struct MdArray {
        char level[16];
        char state[24];       /* array_state: clean, active, inactive, ... */
        char sync_action[16]; /* idle, resync, recover, check, ...; empty where there is none */
        char metadata[32];    /* 1.2, none, external:... */
        bool in_sync;         /* no first synchronisation is under way or outstanding */
        uint64_t degraded;    /* legs that are missing */
        uint64_t redundancy;  /* legs of a whole array that may be missing, whichever */
} MdArray;

typedef struct MdLeg {
        char state[64]; /* in_sync, spare, faulty, journal, ... with commas */
        bool has_slot;  /* it is a part of the array, or becomes one */
        dev_t dev;
} MdLeg;

/* -ENOENT: there is no such array, or it is stopped. */
int md_read(const char *array, MdArray *ret) _must_check_;
/* -ENOENT: not a leg of that array. */
int md_read_leg(const char *array, const char *disk, MdLeg *ret) _must_check_;
/* Names of its legs. */
int md_legs(const char *array, char ***ret) _must_check_;
/* "faulty" or "remove". */
int md_set_leg(const char *array, const char *disk, const char *word) _must_check_;
/* -EBUSY: in use. -ESTALE: the node is another device. */
int md_stop(const char *array, dev_t dev) _must_check_;

/* An empty array for mdadm to fill: its own way is a device node, which a service without
 * CAP_MKNOD cannot make. No error when it is there. */
int md_make(const char *array) _must_check_;

bool md_has_tool(void);
/* Runs mdadm with these arguments, up to NULL. 0 when it says so. */
int md_tool(const char *const *args, uint64_t timeout_usec) _must_check_;
