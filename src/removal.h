/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request on its way, from the reply to the caller until nobody needs the answer any more. */

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "ledger.h"
#include "removal-table.h"
#include "worker.h"

typedef struct Manager Manager;

typedef enum StepState {
        STEP_PENDING,
        STEP_RUNNING,
        STEP_DONE,
        STEP_FAILED,
        STEP_REVERTED,
        STEP_SKIPPED,
        _STEP_STATE_MAX,
} StepState;

const char *step_state_to_string(StepState s);

typedef struct RemovalBlocker {
        FailureKind kind;
        char *node;
        char *sentence;
} RemovalBlocker;

typedef struct RemovalKilled {
        uint32_t pid;
        char *comm;
        char *unit;
        char *reason;
} RemovalKilled;

typedef struct RemovalAwaited {
        uint32_t pid;
        Record *process; /* comm= unit= uses= */
} RemovalAwaited;

typedef struct Removal {
        Manager *manager;
        uint64_t id;
        char *path;        /* on the bus */
        Ledger *ledger;    /* only while its descriptor has not gone to a worker */
        char *ledger_path; /* NULL: a dry run */
        Request *request;
        Plan *plan;
        char *plan_text;
        char **closure; /* names of the namespaces and regions that go */

        RemovalState state;
        bool reported;  /* its end has been told, by this daemon or an earlier one */
        bool replaying; /* history is read back: say nothing to anybody */
        bool committed;
        bool recovered; /* a worker or a daemon died on the way */
        bool announced; /* PrepareForRemoval(true) went out */
        bool untold;    /* it ended before the bus name was ours to tell it under */
        bool stopping;  /* cancel or time-out was sent */
        char cancel_why[64];
        char **vanished;  /* namespaces that somebody else took away meanwhile */
        char **unbinding; /* namespaces that its worker has begun to unbind */
        unsigned rung;
        StepState *steps;
        unsigned running; /* number of the step that runs, 0: none */
        uint64_t running_since_usec;
        char *step_text;
        char *progress;
        char *blocked; /* what the journal was told last about a sleeper in the kernel */
        RemovalBlocker *blockers;
        size_t n_blockers;
        RemovalKilled *killed;
        size_t n_killed;
        RemovalAwaited *awaited; /* processes that are waited for now */
        size_t n_awaited;
        uint64_t awaited_log_usec; /* when the journal is told again */
        uint64_t awaited_pause_usec;
        uint64_t frozen_usec;
        uint64_t frozen_since_usec; /* 0: not frozen */
        Failure failure;
        const char *result; /* NULL until the end */
        uint64_t ended_usec;
        uint64_t started_realtime_usec; /* CLOCK_REALTIME */
        uint64_t ended_realtime_usec;   /* 0: not yet */
        RemovalState last_word;         /* state that "finished" names; _INVALID: not said */

        Worker *worker;
        size_t n_heard; /* records of the ledger that are accounted for */
        unsigned n_lost;
        uint64_t deadline_usec; /* CLOCK_BOOTTIME, 0: none: who waits does not sleep with us */
        uint64_t confirm_deadline_usec;
        uint64_t delay_until_usec; /* CLOCK_MONOTONIC; 0: nobody is waited for */
        sd_event_source *deadline_timer;
        sd_event_source *confirm_timer;
        sd_event_source *expiry_timer;
        sd_event_source *recover_timer;
        unsigned n_recover_tries;
        sd_bus_track *caller;
        struct RemovalWaiter *waiters;
        size_t n_waiters;
} Removal;

/* Request and plan are taken over on success. A dry run gets no ledger of its own. */
int removal_new(Manager *m, Request **req, Plan **plan, const char *closure, Removal **ret,
        Failure *f) _must_check_;
/* A ledger of an earlier life of the daemon: unfinished ones still have to be started by
 * removal_recover(), finished ones are only there to be asked. */
int removal_load(Manager *m, uint64_t id, Removal **ret) _must_check_;
Removal *removal_free(Removal *r);
DEFINE_CLEANUP(Removal *, removal_free);

/* The one function that assigns the state. A refusal fills f and changes nothing. */
int removal_event(Removal *r, RemovalEvent e, Failure *f);

int removal_start(Removal *r, Failure *f);
int removal_recover(Removal *r);
/* why: for the journal, "the caller left the bus". */
int removal_cancel(Removal *r, const char *why, Failure *f);
int removal_confirm(Removal *r, Failure *f);
/* This namespace of its closure has lost its driver: a worker that has not begun to take it away is
 * told to look for himself. */
void removal_look(Removal *r, const char *namespace);
int removal_extend(Removal *r, uint64_t usec, Failure *f) _must_check_;
/* Called by the event that ends it: journal, signals, answers to those who wait, retention. */
void removal_close(Removal *r);
/* Signals that were held back until the bus name was ours. */
void removal_tell_held_back(Removal *r);
/* Answers now or at the end. */
int removal_wait(Removal *r, sd_bus_message *m, uid_t uid, Failure *f) _must_check_;
int removal_bind_caller(Removal *r, sd_bus_message *m) _must_check_;

/* Nobody cancels past the commit point, nor after the end. */
bool removal_cancelable(const Removal *r);
bool removal_alive(const Removal *r);
bool removal_concerns(const Removal *r, const char *name);
unsigned removal_percent(const Removal *r);
/* CLOCK_REALTIME of the deadline that is in force, 0: none. */
uint64_t removal_deadline_realtime(const Removal *r);
