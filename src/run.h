/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Executing a plan and taking it back. No event loop, no bus, no logging: what happens is written
 * into the ledger and told to the parent in the same words. */

#include "ledger.h"

/* Talks to the parent: every record that goes into the ledger goes there too. NULL: nobody. */
typedef struct RunChannel {
        int socket_fd; /* SOCK_SEQPACKET or -EBADF; the parent says "cancel" or "confirm" */
} RunChannel;

/* Runs every check, then the steps; on failure before the commit point everything is reverted.
 * Ends with a "finished" record in every case. Returns 0 when the removal is done, else the first
 * cause in f. The ledger must be locked. */
int run_plan(Ledger *l, int socket_fd, Failure *f) _must_check_;

/* Finishes what a dead worker left: before the commit point (or when the kernel shows that the
 * unbind never began) backwards, after it forwards. The ledger must be locked. 0 when nothing is
 * left to do; FAILURE_ROLLBACK_FAILED with the reason when a human is needed. */
int run_recover(Ledger *l, int socket_fd, Failure *f) _must_check_;
