/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/cleanup.h"

/* Makes the superblock of this device read-only or writable, by whichever of its mounts is there;
 * its mounts and other options stay as they are. 0 also when it is so already. -EBUSY: files are
 * open for writing, or it is frozen. -ENOENT: it is mounted nowhere. Sleeps for as long as the
 * storage takes. */
int superblock_set_readonly(dev_t dev, bool readonly) _must_check_;
