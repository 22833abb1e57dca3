/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/cleanup.h"

typedef struct Superblock {
        const char *type; /* "XFS" */
        char device[64];  /* pmem0p1 */
} Superblock;

/* Is a filesystem on this disk or on one of its partitions still alive in the kernel, whether or
 * not anything is mounted? 1, 0, negative errno. Only for filesystems that show themselves in
 * sysfs; the exclusive open knows of all. */
int superblock_find(const char *disk, Superblock *ret) _must_check_;
/* The same, when no mount in any namespace shows it: lazily unmounted with users left, or unmounted
 * while it was frozen (the freeze keeps the superblock, fs/super.c, 6.1 to 6.12). */
int superblock_find_ghost(const char *disk, Superblock *ret) _must_check_;
