/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/cleanup.h"

/* fs/ioctl.c. The descriptor must be a real open of the mount's root directory (not O_PATH), made
 * before anything is frozen: it is the only handle that survives a lazy umount or the shutdown.
 * freeze_fs(): 0; -EBUSY frozen by somebody already; -EOPNOTSUPP. Uninterruptible, may never
 * return while a writer is stuck: child only.
 * thaw_fs(): 0; -EINVAL when not frozen by user space - after pre-remove that is success, because
 * the kernel drops a user freeze itself (xfs_notify_failure.c, 6.12). */
int freeze_fs(int fd) _must_check_;
int thaw_fs(int fd) _must_check_;
/* syncfs(2) */
int sync_fs(int fd) _must_check_;
