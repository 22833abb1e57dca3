/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "util/cleanup.h"

typedef struct XfsInfo {
        int rmapbt;   /* 1, 0: XFS_IOC_FSGEOMETRY flag bit 19 */
        int realtime; /* 1 if it has a realtime device */
        int external_log;
        uint64_t reach; /* bytes of all its allocation groups, the last one taken as whole */
} XfsInfo;

/* fd: any open file or directory of the filesystem. -ENOTTY when it is no XFS, or the kernel is
 * older than the call. */
int xfs_info(int fd, XfsInfo *ret) _must_check_;

/* Files counted by size class, in 4 KiB pages, so that the sum of the largest is known in fixed
 * memory however many files there are. Here for the test. */
#define XFS_SIZE_CLASSES (16 * 61)
typedef struct XfsSizes {
        uint64_t files[XFS_SIZE_CLASSES];
        uint64_t pages[XFS_SIZE_CLASSES];
} XfsSizes;

void xfs_sizes_add(XfsSizes *s, uint64_t pages);
/* Upper bound of the pages of that many of the largest files. */
uint64_t xfs_sizes_largest(const XfsSizes *s, uint64_t files);

/* Upper bound of 4 KiB pages that DAX entries of cached inodes can cover: the sum of the blocks of
 * the N largest files, N being the inodes in core (vn_active of /sys/fs/xfs/DISK/stats/stats).
 * cachestat(2) is not used: it reads a DAX entry as an eviction shadow (mm/filemap.c, 6.12).
 * -ETIMEDOUT when listing the inodes (XFS_IOC_BULKSTAT) takes past the deadline. */
int xfs_cached_pages(int fd, const char *disk, uint64_t deadline_usec, uint64_t *ret) _must_check_;

/* fsync(2) of every regular file, opened by handle: cleans the DAX entries that earlier MAP_SYNC
 * mappings left dirty in cached inodes and that syncfs does not see (sys/mapped.h). Before a
 * freeze. -ETIMEDOUT. */
int xfs_sync_files(int fd, uint64_t deadline_usec) _must_check_;
