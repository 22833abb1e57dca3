/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finds unfinished ledgers. --recover runs them all in this process (ExecStopPost=, no bus); a
 * starting daemon lists them and gives each to a worker before it takes the bus name. */

#include "failure.h"
#include "ledger.h"

/* Ids of unfinished ledgers in dir, ascending. Damaged ones are reported in f and skipped. */
int recover_list(const char *dir, uint64_t **ret, size_t *ret_n, Failure *f) _must_check_;
/* Exit status for --recover. Waits for a worker that still holds a lock, at most timeout_usec. */
int recover_all(const char *dir, uint64_t timeout_usec) _must_check_;
