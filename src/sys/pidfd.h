/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "util/text.h"

/* pidfd of exactly this process: opened first, then its start time compared, so that a reused pid
 * is never signalled. -ESRCH: gone, or another one by now. */
int pidfd_open_checked(pid_t pid, uint64_t start) _must_check_;
/* -ESRCH when it has exited. */
int pidfd_signal(int pidfd, int sig) _must_check_;
/* 1 when exited (a zombie counts as exited: it holds nothing any more), 0 when it lives. */
int pidfd_exited(int pidfd);
