/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Many jobs of the service manager at once, each followed to its end, by a child. */

#include "sys/units.h"

typedef struct UnitJobs UnitJobs;

typedef enum UnitAction { UNIT_ACTION_STOP, UNIT_ACTION_START } UnitAction;

/* Queues the jobs in the order of names and follows them at most as long as that. A start comes
 * after a stop that is under way; one that hangs in ExecStop= is helped out of it. One that
 * the manager keeps back until this program's own unit is restarted counts as done: it is
 * queued. */
int unit_jobs_start(
        UnitAction action, char *const *names, uint64_t timeout_usec, UnitJobs **ret) _must_check_;
UnitJobs *unit_jobs_free(UnitJobs *j);
DEFINE_CLEANUP(UnitJobs *, unit_jobs_free);
/* 0 when all have ended, however; -ETIME when their time is over; -ETIMEDOUT when until_usec comes
 * first; -ECANCELED when cancel_fd is readable, as in sys/child.h. */
int unit_jobs_wait(UnitJobs *j, uint64_t until_usec, int cancel_fd) _must_check_;
/* "postgresql.service (stop-sigterm), app.service (stop)": whose jobs have not ended. */
const char *unit_jobs_awaited(const UnitJobs *j, char *buf, size_t size);
/* The first unit whose job did not do what was asked, and why: "failed", "timeout", "canceled" or
 * what the manager answered. NULL: all did. To be asked when all have ended. */
const char *unit_jobs_failed(const UnitJobs *j, const char **ret_why);
