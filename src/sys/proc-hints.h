/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who may keep these filesystems in use although no descriptor, mapping or directory shows it:
 * files that live on inside another kernel object. For a sentence to people, never for a decision.
 */

#include <sys/types.h>

#include "util/text.h"

typedef struct ProcHint {
        pid_t pid;
        char comm[16];
        char what[40]; /* "io_uring files of" */
} ProcHint;

typedef struct ProcHintList {
        ProcHint *items;
        size_t n;
} ProcHintList;

void proc_hint_list_done(ProcHintList *l);

/* Reads fdinfo, which costs twice what a stat does: for when a scan has found nobody.
 * -ETIMEDOUT when deadline_usec passes. */
int proc_find_hints(
        const dev_t *devs, size_t n_devs, uint64_t deadline_usec, ProcHintList *l) _must_check_;
