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
/* One path; its error is the result. */
int path_ask(const char *path, PathAnswer *ret) _must_check_;
