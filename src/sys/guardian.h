/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tiny process that holds the thaw descriptor of one frozen filesystem. It is forked before
 * FIFREEZE, locked in memory, ignores every signal it can, has its own session, and thaws when its
 * deadline passes or when the pipe to the worker closes without the word "released": whoever dies,
 * nobody stays frozen. FITHAW answers EINVAL until a running FIFREEZE is complete, so a guardian
 * whose worker died inside FIFREEZE goes on trying until the freezing process is gone. */

#include <sys/types.h>

#include "sys/frost-note.h"

typedef struct Guardian {
        pid_t pid;
        int pipe_fd; /* our end; closing it without guardian_release() means: thaw */
} Guardian;

#define GUARDIAN_INIT                                                                              \
        {                                                                                          \
                .pid = 0, .pipe_fd = -EBADF                                                        \
        }

/* fs_fd is duplicated. The deadline is CLOCK_MONOTONIC by now, and goes on by CLOCK_BOOTTIME. When
 * this returns 0 the guardian is locked in memory and watching; that takes CAP_IPC_LOCK or a big
 * enough RLIMIT_MEMLOCK. Children forked later without exec hold our end too, so a FIFREEZE or
 * unbind under way counts as alive. When it has thawed it says so in note, for who comes after us;
 * NULL: nowhere. */
int guardian_start(Guardian *g, int fs_fd, uint64_t deadline_usec, FrostNote *note) _must_check_;
/* Tells it which process sleeps in FIFREEZE, so that it knows when trying is over. -EPIPE: the
 * guardian is gone, nothing may be frozen. */
int guardian_freezer(Guardian *g, pid_t pid) _must_check_;
/* By a child that inherited our end, and whose FIFREEZE was refused: nothing here is ours to thaw,
 * also if we die before we hear of it. */
void guardian_dismiss(const Guardian *g);
/* Still on guard? -ETIMEDOUT: its deadline has passed, so nothing is frozen any more; -EOWNERDEAD:
 * it is gone, and nobody would thaw. */
int guardian_check(const Guardian *g) _must_check_;
/* The filesystem is thawed or gone: the guardian may leave. Waits for its end, which closes fs_fd,
 * but no more than 5 s; one that has not left by then (it was stopped) is killed, because it
 * would keep the filesystem busy. */
void guardian_release(Guardian *g);
