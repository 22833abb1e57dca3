/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looks at every process of the machine, or at some, several at a time, and gathers what is found.
 * The workers are forked, not threads: each has a descriptor table of its own, so that the kernel
 * needs neither its lock nor a reference for each of some hundred thousand calls (fs/file.c,
 * __fget_light), and one that sleeps inside the kernel is killed without the caller. */

#include <sys/types.h>

#include "util/text.h"

#define PROC_POOL_WORKERS_MAX 8

typedef struct ProcPool ProcPool;

/* In a worker: one process, named below proc_fd by its pid. */
typedef int (*ProcPoolFn)(ProcPool *p, int proc_fd, pid_t pid, void *arg);

struct ProcPool {
        ProcPoolFn fn;
        void *arg; /* each worker has its own copy of what it points to */
        size_t record_size;
        unsigned workers; /* 0: one per processor */
        uint64_t deadline_usec;
        const pid_t *pids; /* NULL: every process of the machine */
        size_t n_pids;

        pid_t stuck; /* after -ETIMEDOUT: a process at which a worker has been for a second; or 0 */
        int result_fd; /* in a worker */
};

/* From fn: one record of record_size bytes, which is at most PIPE_BUF. */
int proc_pool_emit(ProcPool *p, const void *record) _must_check_;

/* The records in no order; free *ret. What one worker could not finish makes the whole an error:
 * -ETIMEDOUT at the deadline, -EOWNERDEAD when something killed one. */
int proc_pool_run(ProcPool *p, void **ret, size_t *ret_n) _must_check_;
