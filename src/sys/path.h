/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "util/text.h"

typedef struct PathAnswer {
        int err; /* 0, or why it leads nowhere; -ETIMEDOUT: no answer */
        mode_t mode;
        dev_t dev;
        dev_t rdev;
} PathAnswer;

/* Where these absolute paths lead to in the mount namespace of a process (0: ours), without opening
 * anything. A child asks, for a path may end on a server that does not answer any more; what comes
 * behind such a path has no answer either. */
int paths_ask(const char *const *paths, size_t n, pid_t ns_pid, PathAnswer *ret) _must_check_;
/* Where "/dev/disk/by-uuid/..." leads to. Anybody may name such a path and the daemon itself looks,
 * so the way must not leave devtmpfs: what lies elsewhere may be a server that does not answer, and
 * is -EXDEV. */
int path_below_dev(const char *path, char *buf, size_t size) _must_check_;
/* One path; its error is the result. */
int path_ask(const char *path, PathAnswer *ret) _must_check_;
