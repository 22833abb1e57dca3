/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a removal may do next: one table of state x event. It is data without a daemon around it, so
 * that a test can walk every cell; removal_event() is its only reader. */

#include "failure.h"

typedef enum RemovalState {
        REMOVAL_QUEUED,
        REMOVAL_CHECKING,
        REMOVAL_DRAINING,
        REMOVAL_WAITING, /* for Confirm */
        REMOVAL_COMMITTED,
        REMOVAL_ROLLING_BACK,
        REMOVAL_SUCCEEDED, /* from here on: ended */
        REMOVAL_PARTIAL,
        REMOVAL_ROLLED_BACK,
        REMOVAL_STUCK,
        _REMOVAL_STATE_MAX,
        _REMOVAL_STATE_INVALID = -EINVAL,
} RemovalState;

typedef enum RemovalEvent {
        EVENT_START,
        EVENT_NOT_STARTED,  /* no worker could be made: nothing was done */
        EVENT_RECOVER_BACK, /* an unfinished ledger from before the daemon's start, uncommitted */
        EVENT_RECOVER_FORWARD, /* the same, committed */
        EVENT_STEP_BEGUN,
        EVENT_STEP_ENDED,
        EVENT_STEP_FAILED, /* not the end: another rung follows, or it is past the commit point */
        EVENT_CLIMBED,
        EVENT_CONFIRM_WANTED,
        EVENT_COMMITTED,
        EVENT_ROLLBACK, /* the worker gives up, or reverted a step */
        EVENT_WORKER_LOST,
        EVENT_WORKER_GONE, /* lost once too often */
        EVENT_CONFIRM,
        EVENT_CANCEL,
        EVENT_DEADLINE,
        EVENT_FINISHED_SUCCEEDED,
        EVENT_FINISHED_PARTIAL,
        EVENT_FINISHED_ROLLED_BACK,
        EVENT_FINISHED_STUCK,
        _EVENT_MAX,
        _EVENT_INVALID = -EINVAL,
} RemovalEvent;

typedef enum RemovalAction {
        ACTION_UNEXPECTED, /* the zero value: a cell that nobody thought of changes nothing */
        ACTION_NONE,
        ACTION_REFUSE, /* the caller gets the cell's refusal */
        ACTION_SPAWN,
        ACTION_RECOVER,
        ACTION_ARM_CONFIRM,
        ACTION_TELL_CONFIRM,
        ACTION_TELL_CANCEL,
        ACTION_TELL_TIMEOUT,
        ACTION_DISARM, /* past the commit point no deadline applies */
        ACTION_END,
        _ACTION_MAX,
} RemovalAction;

typedef struct RemovalCell {
        RemovalState next;
        RemovalAction action;
        FailureKind refusal;
} RemovalCell;

const RemovalCell *removal_cell(RemovalState state, RemovalEvent event);

const char *removal_state_to_string(RemovalState s);
RemovalState removal_state_from_string(const char *s);
const char *removal_event_to_string(RemovalEvent e);

/* The event that says "finished" in that state; _EVENT_INVALID for a state that is no end. */
RemovalEvent removal_event_finished(RemovalState s);

static inline int removal_state_ended(RemovalState s)
{
        return s >= REMOVAL_SUCCEEDED;
}
