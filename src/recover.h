/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Unfinished ledgers. --recover runs them all in this process (ExecStopPost=, no bus); a starting
 * daemon gives each to a worker before it takes the bus name. */

#include "failure.h"
#include "ledger.h"

/* Is err something that passes, and says nothing about the ledger that could not be read? */
bool recover_is_shortage(int err);
/* What is said of a ledger that was refused, or could not be read, with err. Returns err. */
int recover_refuse(const char *dir, uint64_t id, int err, Failure *f);
/* Exit status for --recover. Waits for a worker that still holds a lock, at most timeout_usec. */
int recover_all(const char *dir, uint64_t timeout_usec) _must_check_;
