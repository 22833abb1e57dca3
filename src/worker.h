/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The process that executes one plan. Parent half: start it, hear it, notice its end. Child half:
 * worker_main(), what "pmemremoved --run" does. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "ledger.h"

typedef struct Worker Worker;

typedef struct WorkerOps {
        /* One record, in the order in which the worker wrote them. */
        void (*record)(const Record *r, void *userdata);
        /* A process of the worker sleeps uninterruptibly; text says where in the kernel. */
        void (*blocked)(const char *text, void *userdata);
        /* It is gone and everything it said was delivered, or it said its last word and does not
         * leave. Called once; the callback may free the worker. status is for people. */
        void (*exited)(const char *status, void *userdata);
} WorkerOps;

/* The ledger's descriptor goes with the worker: the lock then lives as long as the worker and its
 * children do, and no longer. The caller closes its own copy. */
int worker_spawn(sd_event *event, const Ledger *l, bool recover, const WorkerOps *ops,
        void *userdata, Worker **ret) _must_check_;
/* Stops listening. A process that still runs is left alone and reaped when it ends. */
Worker *worker_free(Worker *w);
/* Takes now what it has said already. NULL is fine. */
void worker_hear(Worker *w);
/* Never waits. */
int worker_tell(Worker *w, const char *line) _must_check_;

/* Exit status of "pmemremoved --run [--recover]". */
int worker_main(bool recover);
