/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/cleanup.h"

/* Makes the superblock mounted at target read-only or writable; its mounts and other options stay
 * as they are. 0 also when it is so already. -EBUSY: files are open for writing, or it is frozen.
 * -ENOENT, -ESTALE: it is not what is mounted there. Sleeps for as long as the storage takes. */
int superblock_set_readonly(const char *target, dev_t dev, bool readonly) _must_check_;
