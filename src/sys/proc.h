/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who uses these filesystems and device nodes? Found by /proc, never by touching the filesystem
 * itself (a stat on a frozen or dead one can hang). Runs in a planner or worker process with a
 * deadline, and never while anything is frozen: cmdline, map_files and smaps of a process that
 * sleeps in a write fault block their reader (performance-facts 5). */

#include <sys/types.h>

#include "util/text.h"

typedef enum ProcUse {
        PROC_USE_DAX = 1 << 0, /* DAX mapping: the kernel's pre-remove kills for this one */
        PROC_USE_MAP = 1 << 1, /* ordinary mapping */
        PROC_USE_FD = 1 << 2,
        PROC_USE_CWD = 1 << 3,
        PROC_USE_ROOT = 1 << 4,
        PROC_USE_EXE = 1 << 5,
        PROC_USE_NODE = 1 << 6,   /* the device node itself is open or mapped */
        PROC_USE_SOCKET = 1 << 7, /* an AF_UNIX socket that is bound there */
} ProcUse;

typedef struct ProcHolder {
        pid_t pid;
        uint64_t start; /* field 22 of /proc/PID/stat, clock ticks since boot */
        char comm[16];  /* from stat, never from cmdline: that read can hang */
        unsigned uses;  /* ProcUse bits */
        dev_t dev;      /* which of the asked devices; one ProcHolder per process and device */
        bool kernel_thread;
        char example[256]; /* one path by which it holds, as readlink of /proc shows it */
} ProcHolder;

typedef struct ProcList {
        ProcHolder *items;
        size_t n;
        pid_t stuck; /* after -ETIMEDOUT: a process that blocks whoever looks at it, or 0 */
} ProcList;

void proc_list_done(ProcList *l);

/* Runs in forked workers, as many as there are processors, so that the deadline holds whatever a
 * process does to its readers. devs: device numbers of filesystems (st_dev); nodes: device numbers
 * of block and character nodes (st_rdev). Threads with their own tables are looked at too.
 * Processes that vanish meanwhile are no error. -ETIMEDOUT when deadline_usec (CLOCK_MONOTONIC)
 * passes: an incomplete list is no list.
 */
int proc_find_holders(const dev_t *devs, size_t n_devs, const dev_t *nodes, size_t n_nodes,
        uint64_t deadline_usec, ProcList *l) _must_check_;

/* The same of these processes only. Who is not named has let go, or exited. */
int proc_check_holders(const pid_t *pids, size_t n_pids, const dev_t *devs, size_t n_devs,
        const dev_t *nodes, size_t n_nodes, uint64_t deadline_usec, ProcList *l) _must_check_;

/* "dax,fd" and back. */
#define PROC_USES_MAX 64
const char *proc_uses_format(unsigned uses, char buf[static PROC_USES_MAX]);
unsigned proc_uses_parse(const char *s);

/* Start time of a process: the second half of its identity. -ESRCH. */
int proc_start_time(pid_t pid, uint64_t *ret) _must_check_;
int proc_comm(pid_t pid, char *buf, size_t size) _must_check_;
/* State letter of stat(5), e.g. 'D', 'Z'; -ESRCH. */
int proc_state(pid_t pid) _must_check_;
/* Where a thread is in the kernel, on one line, needs root; empty where the kernel hides it. */
int proc_kernel_stack(pid_t pid, char *buf, size_t size);
/* "[<0>] freeze_super+0x1/0x2\n..." becomes "freeze_super < ioctl_fsfreeze < ...". */
void proc_stack_compact(const char *stack, char *buf, size_t size);
/* Number of processes (thread groups) of the machine, as the kernel's own walk would meet them. */
int proc_count(unsigned *ret) _must_check_;
