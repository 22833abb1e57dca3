/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/cleanup.h"

/* Does the process, or a child of it, sleep uninterruptibly? Then buf says which one, and where in
 * the kernel. */
bool worker_blocked_text(pid_t pid, char *buf, size_t size);
/* "[<0>] freeze_super+0x1/0x2\n..." becomes "freeze_super < ioctl_fsfreeze < ...". */
void worker_stack_compact(const char *stack, char *buf, size_t size);
