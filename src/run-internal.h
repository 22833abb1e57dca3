/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of run.c share: run-state.c knows what was said and is held, run-parent.c hears
 * the parent. */

#include "run.h"

struct Run {
        Ledger *ledger;
        int socket_fd;
        bool committed;
        FailureKind stop; /* why somebody asked to stop; FAILURE_NONE: nobody did */
        bool orphan;      /* the parent is gone */
        char why[64];     /* it was cancelled; empty: not said */
        bool confirmed;
        bool proceed;
        bool missed; /* the parent has not been told what the ledger says last */
        unsigned rung;
        uint64_t last_progress_usec;
        char last_progress[512];
        Held *held;
        size_t n_held;
};

static inline const char *run_step_number(const Step *s, char buf[static 16])
{
        (void)snprintf(buf, 16, "%u", s->number);
        return buf;
}

/* Everything that is held. */
void run_let_go(Run *run);
