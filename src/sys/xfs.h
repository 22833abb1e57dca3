/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "util/cleanup.h"

typedef struct XfsInfo {
        int rmapbt;   /* 1, 0: XFS_IOC_FSGEOMETRY flag bit 19 */
        int realtime; /* 1 if it has a realtime device */
        int external_log;
} XfsInfo;

/* fd: any open file or directory of the filesystem. -ENOTTY when it is no XFS. */
int xfs_info(int fd, XfsInfo *ret) _must_check_;

/* Upper bound of 4 KiB pages that DAX entries of cached inodes can cover: the sum of the blocks of
 * the N largest files, N being the inodes in core (vn_active of /sys/fs/xfs/DISK/stats/stats).
 * cachestat(2) is not used: it reads a DAX entry as an eviction shadow (mm/filemap.c, 6.12).
 * -ETIMEDOUT when listing the inodes (XFS_IOC_BULKSTAT) takes past the deadline. */
int xfs_cached_pages(int fd, const char *disk, uint64_t deadline_usec, uint64_t *ret) _must_check_;
