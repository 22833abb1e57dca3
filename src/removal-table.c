/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state table. Read a block as: being in this state, what may come, where does it lead, what is
 * done. What is not listed is unexpected: it is logged and changes nothing, because most events
 * come from another process and a confused worker must not take the daemon with it.
 *
 * A cancel or a deadline does not change the state. It asks the worker, and the state follows when
 * the worker says that it goes back: between the question and the answer the commit point may have
 * been passed, and a removal must never call itself rolling back when it is not. */

#include "removal-table.h"

#define GO(state, act)                                                                             \
        {                                                                                          \
                .next = REMOVAL_##state, .action = ACTION_##act                                    \
        }
#define REFUSE(state, kind)                                                                        \
        {                                                                                          \
                .next = REMOVAL_##state, .action = ACTION_REFUSE, .refusal = FAILURE_##kind        \
        }

/* The last word ends a removal from wherever it stands: the worker has looked, the table has not.
 */
#define FINISHES                                                                                   \
        [EVENT_FINISHED_SUCCEEDED] = GO(SUCCEEDED, END),                                           \
        [EVENT_FINISHED_PARTIAL] = GO(PARTIAL, END),                                               \
        [EVENT_FINISHED_ROLLED_BACK] = GO(ROLLED_BACK, END),                                       \
        [EVENT_FINISHED_STUCK] = GO(STUCK, END), [EVENT_WORKER_GONE] = GO(STUCK, END)

#define ENDED(state, cancel, confirm)                                                              \
        [EVENT_CANCEL] = cancel, [EVENT_CONFIRM] = confirm, [EVENT_DEADLINE] = GO(state, NONE)

static const RemovalCell table[_REMOVAL_STATE_MAX][_EVENT_MAX] = {
        [REMOVAL_QUEUED] = {
                [EVENT_START] = GO(CHECKING, SPAWN),
                [EVENT_RECOVER_BACK] = GO(ROLLING_BACK, RECOVER),
                [EVENT_RECOVER_FORWARD] = GO(COMMITTED, RECOVER),
                [EVENT_CANCEL] = GO(ROLLED_BACK, END),
                [EVENT_DEADLINE] = GO(ROLLED_BACK, END),
                [EVENT_CONFIRM] = REFUSE(QUEUED, NOT_SUPPORTED),
                FINISHES,
        },
        [REMOVAL_CHECKING] = {
                [EVENT_NOT_STARTED] = GO(ROLLED_BACK, END),
                [EVENT_STEP_BEGUN] = GO(DRAINING, NONE),
                [EVENT_STEP_FAILED] = GO(CHECKING, NONE),
                [EVENT_ROLLBACK] = GO(ROLLING_BACK, NONE),
                [EVENT_COMMITTED] = GO(COMMITTED, DISARM),
                [EVENT_WORKER_LOST] = GO(ROLLING_BACK, RECOVER),
                [EVENT_CANCEL] = GO(CHECKING, TELL_CANCEL),
                [EVENT_DEADLINE] = GO(CHECKING, TELL_TIMEOUT),
                [EVENT_CONFIRM] = REFUSE(CHECKING, NOT_SUPPORTED),
                FINISHES,
        },
        [REMOVAL_DRAINING] = {
                [EVENT_STEP_BEGUN] = GO(DRAINING, NONE),
                [EVENT_STEP_ENDED] = GO(DRAINING, NONE),
                [EVENT_STEP_FAILED] = GO(DRAINING, NONE),
                [EVENT_CLIMBED] = GO(DRAINING, NONE),
                [EVENT_CONFIRM_WANTED] = GO(WAITING, ARM_CONFIRM),
                [EVENT_ROLLBACK] = GO(ROLLING_BACK, NONE),
                [EVENT_COMMITTED] = GO(COMMITTED, DISARM),
                [EVENT_WORKER_LOST] = GO(ROLLING_BACK, RECOVER),
                [EVENT_CANCEL] = GO(DRAINING, TELL_CANCEL),
                [EVENT_DEADLINE] = GO(DRAINING, TELL_TIMEOUT),
                [EVENT_CONFIRM] = REFUSE(DRAINING, NOT_SUPPORTED),
                FINISHES,
        },
        [REMOVAL_WAITING] = {
                [EVENT_STEP_BEGUN] = GO(DRAINING, NONE),
                [EVENT_STEP_ENDED] = GO(DRAINING, NONE),
                [EVENT_STEP_FAILED] = GO(WAITING, NONE),
                [EVENT_CONFIRM] = GO(DRAINING, TELL_CONFIRM),
                [EVENT_ROLLBACK] = GO(ROLLING_BACK, NONE),
                [EVENT_COMMITTED] = GO(COMMITTED, DISARM),
                [EVENT_WORKER_LOST] = GO(ROLLING_BACK, RECOVER),
                [EVENT_CANCEL] = GO(WAITING, TELL_CANCEL),
                [EVENT_DEADLINE] = GO(WAITING, TELL_TIMEOUT),
                FINISHES,
        },
        /* ROLLBACK: recovery saw that the kernel never began what "committed" announced. */
        [REMOVAL_COMMITTED] = {
                [EVENT_STEP_BEGUN] = GO(COMMITTED, NONE),
                [EVENT_STEP_ENDED] = GO(COMMITTED, NONE),
                [EVENT_STEP_FAILED] = GO(COMMITTED, NONE),
                [EVENT_COMMITTED] = GO(COMMITTED, NONE),
                [EVENT_ROLLBACK] = GO(ROLLING_BACK, NONE),
                [EVENT_WORKER_LOST] = GO(COMMITTED, RECOVER),
                [EVENT_CANCEL] = REFUSE(COMMITTED, PAST_COMMIT),
                [EVENT_DEADLINE] = GO(COMMITTED, NONE),
                [EVENT_CONFIRM] = REFUSE(COMMITTED, PAST_COMMIT),
                FINISHES,
        },
        /* Records that were under way when the worker turned round may still arrive. */
        [REMOVAL_ROLLING_BACK] = {
                [EVENT_NOT_STARTED] = GO(STUCK, END),
                [EVENT_STEP_BEGUN] = GO(ROLLING_BACK, NONE),
                [EVENT_STEP_ENDED] = GO(ROLLING_BACK, NONE),
                [EVENT_STEP_FAILED] = GO(ROLLING_BACK, NONE),
                [EVENT_ROLLBACK] = GO(ROLLING_BACK, NONE),
                [EVENT_COMMITTED] = GO(COMMITTED, DISARM),
                [EVENT_WORKER_LOST] = GO(ROLLING_BACK, RECOVER),
                [EVENT_CANCEL] = GO(ROLLING_BACK, NONE),
                [EVENT_DEADLINE] = GO(ROLLING_BACK, NONE),
                [EVENT_CONFIRM] = REFUSE(ROLLING_BACK, CANCELLED),
                FINISHES,
        },
        [REMOVAL_SUCCEEDED] = { ENDED(SUCCEEDED, REFUSE(SUCCEEDED, PAST_COMMIT),
                REFUSE(SUCCEEDED, PAST_COMMIT)) },
        [REMOVAL_PARTIAL] = { ENDED(PARTIAL, REFUSE(PARTIAL, PAST_COMMIT),
                REFUSE(PARTIAL, PAST_COMMIT)) },
        /* Nothing is left to cancel: that is what was asked for. */
        [REMOVAL_ROLLED_BACK] = { ENDED(ROLLED_BACK, GO(ROLLED_BACK, NONE),
                REFUSE(ROLLED_BACK, CANCELLED)) },
        [REMOVAL_STUCK] = { ENDED(STUCK, REFUSE(STUCK, ROLLBACK_FAILED),
                REFUSE(STUCK, ROLLBACK_FAILED)) },
};

const RemovalCell *removal_cell(RemovalState state, RemovalEvent event)
{
        return &table[state][event];
}

static const char *const state_names[_REMOVAL_STATE_MAX] = {
        [REMOVAL_QUEUED] = "queued",
        [REMOVAL_CHECKING] = "checking",
        [REMOVAL_DRAINING] = "draining",
        [REMOVAL_WAITING] = "waiting",
        [REMOVAL_COMMITTED] = "committed",
        [REMOVAL_ROLLING_BACK] = "rolling-back",
        [REMOVAL_SUCCEEDED] = "succeeded",
        [REMOVAL_PARTIAL] = "partial",
        [REMOVAL_ROLLED_BACK] = "rolled-back",
        [REMOVAL_STUCK] = "stuck",
};

static const char *const event_names[_EVENT_MAX] = {
        [EVENT_START] = "start",
        [EVENT_NOT_STARTED] = "not-started",
        [EVENT_RECOVER_BACK] = "recover-back",
        [EVENT_RECOVER_FORWARD] = "recover-forward",
        [EVENT_STEP_BEGUN] = "step-begun",
        [EVENT_STEP_ENDED] = "step-ended",
        [EVENT_STEP_FAILED] = "step-failed",
        [EVENT_CLIMBED] = "climbed",
        [EVENT_CONFIRM_WANTED] = "confirm-wanted",
        [EVENT_COMMITTED] = "committed",
        [EVENT_ROLLBACK] = "rollback",
        [EVENT_WORKER_LOST] = "worker-lost",
        [EVENT_WORKER_GONE] = "worker-gone",
        [EVENT_CONFIRM] = "confirm",
        [EVENT_CANCEL] = "cancel",
        [EVENT_DEADLINE] = "deadline",
        [EVENT_FINISHED_SUCCEEDED] = "finished-succeeded",
        [EVENT_FINISHED_PARTIAL] = "finished-partial",
        [EVENT_FINISHED_ROLLED_BACK] = "finished-rolled-back",
        [EVENT_FINISHED_STUCK] = "finished-stuck",
};

const char *removal_state_to_string(RemovalState s)
{
        return s >= 0 && s < _REMOVAL_STATE_MAX ? state_names[s] : NULL;
}

RemovalState removal_state_from_string(const char *s)
{
        for (int i = 0; i < _REMOVAL_STATE_MAX; i++)
                if (streq(s, state_names[i]))
                        return (RemovalState)i;
        return _REMOVAL_STATE_INVALID;
}

const char *removal_event_to_string(RemovalEvent e)
{
        return e >= 0 && e < _EVENT_MAX ? event_names[e] : NULL;
}

RemovalEvent removal_event_finished(RemovalState s)
{
        switch (s) {
        case REMOVAL_SUCCEEDED:
                return EVENT_FINISHED_SUCCEEDED;
        case REMOVAL_PARTIAL:
                return EVENT_FINISHED_PARTIAL;
        case REMOVAL_ROLLED_BACK:
                return EVENT_FINISHED_ROLLED_BACK;
        case REMOVAL_STUCK:
                return EVENT_FINISHED_STUCK;
        default:
                return _EVENT_INVALID;
        }
}
