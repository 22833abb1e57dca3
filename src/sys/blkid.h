/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/cleanup.h"

typedef struct BlkidInfo {
        char type[32];  /* "xfs", "ext4", "swap", "LVM2_member", ... */
        char usage[16]; /* "filesystem", "raid", "crypto", "other" */
        char uuid[64];
        char label[256];
} BlkidInfo;

/* The only user of libblkid: what is written on this device. -ENODATA: nothing known. */
int blkid_read(const char *devnode, BlkidInfo *ret) _must_check_;
/* The same by a child, for whoever must not wait for a disk that does not answer: -ETIMEDOUT. */
int blkid_ask(const char *devnode, BlkidInfo *ret) _must_check_;
