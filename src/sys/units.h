/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "util/cleanup.h"

/* systemd unit of a process by its cgroup; -ENODATA when it belongs to none. */
int unit_of_pid(pid_t pid, char *buf, size_t size) _must_check_;
