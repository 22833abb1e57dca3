/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A call that may sleep for ever in the kernel is made by a child of its own, and its parent waits
 * with a deadline. fork without exec: the callers are single threaded. */

#include <sys/types.h>

#include "util/text.h"

/* Runs in the child; 0 or negative errno becomes the result. */
typedef int (*ChildFn)(void *arg);

typedef struct Child {
        pid_t pid;
        int pidfd;
} Child;

#define CHILD_INIT                                                                                 \
        {                                                                                          \
                .pid = 0, .pidfd = -EBADF                                                          \
        }

/* The child gets SIGKILL when its parent dies only if die_with_parent is set. It keeps the open
 * descriptors: a ledger's lock lives exactly as long as the blocked call. */
int child_start(Child *c, bool die_with_parent, ChildFn fn, void *arg) _must_check_;
/* The function's result, -EOWNERDEAD when it was killed; -ETIMEDOUT or -ECANCELED (cancel_fd
 * readable) leave it running. */
int child_wait(Child *c, uint64_t deadline_usec, int cancel_fd) _must_check_;
/* SIGKILL if it still runs. False: it is still there, because the kernel does not let it go. */
bool child_kill(Child *c);
/* SIGKILL if it still runs, and reap if that is possible at once. */
void child_done(Child *c);
/* start + wait + done. */
int child_call(ChildFn fn, void *arg, uint64_t timeout_usec, int cancel_fd) _must_check_;
