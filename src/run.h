/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Executing a plan and taking it back. No event loop, no bus, no logging: what happens is written
 * into the ledger and told to the parent in the same words.
 *
 * To the parent the words of the ledger go as they are written, and "missed until=N" behind those
 * that did not fit into its socket: they are one piece that ends with the ledger's N-th record.
 *
 * The parent says, one datagram each: "cancel reason=timed-out|cancelled", "confirm", "proceed"
 * (who asked for time before the removal has taken it). A socket that closes means that the parent
 * is gone, which before the commit point is a cancel too. */

#include "ledger.h"

/* Longest line that a parent takes. */
#define RUN_LINE_MAX 16384

/* Runs every check, then the steps; on failure before the commit point everything is reverted.
 * Ends with a "finished" record in every case. 0 when the removal is done, else a negative errno
 * and the first cause in f. The ledger must be locked; socket_fd may be -EBADF (nobody listens). */
int run_plan(Ledger *l, int socket_fd, Failure *f) _must_check_;

/* Finishes what a dead worker left: before the commit point (or when the kernel shows that nothing
 * irreversible began) backwards, after it forwards. The ledger must be locked. 0 when nothing is
 * left to do; FAILURE_ROLLBACK_FAILED or _PARTIAL with the reason when a human is needed. */
int run_recover(Ledger *l, int socket_fd, Failure *f) _must_check_;
