/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who holds what a step is about: looks at /proc by device number, and what a look has taught.
 * Never while anything is frozen. */

#include "step/step.h"
#include "sys/proc.h"

typedef struct Devs {
        dev_t *items;
        size_t n;
} Devs;

void devs_done(Devs *d);
/* Appends blank separated device numbers; NULL: none. */
int devs_parse(const char *text, Devs *d) _must_check_;

/* devs: of filesystems; nodes: of device nodes, wherever they lie. */
int holds_scan(const char *devs, const char *nodes, ProcList *l) _must_check_;

/* Which of these processes hold anything of the step's keys devs, nodes and raw? Only they are
 * looked at, which costs a hundredth of a scan (performance-facts 10). */
int holds_check(const Step *s, const pid_t *pids, size_t n, ProcList *l) _must_check_;

/* "holds PID start= now=no|yes": what a process of the plan or a newcomer turned out to do since.
 * One that has let go is signalled no more, until it holds it again. */
int holds_note(Run *run, const char *pid, uint64_t start, const char *comm, bool now) _must_check_;
bool holds_no_more(const Run *run, const char *pid, uint64_t start);
