/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/cleanup.h"

/* Does the process, or a child of it, sleep uninterruptibly, or is it stopped? Then buf says which
 * one, and where in the kernel. */
bool worker_blocked_text(pid_t pid, char *buf, size_t size);
/* The same for whoever has the file of our descriptor fd as his descriptor of that number. */
bool worker_blocked_holder(int fd, char *buf, size_t size);
