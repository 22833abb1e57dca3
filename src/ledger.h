/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ledger remembers: one append-only text file per removal, RUNDIR/<id>.ledger, mode 0600.
 *
 *     pmemremoved-ledger 1
 *     request namespace0.0 mode=auto uid=0 ... id=7 digest=...     the plan's id
 *     <the plan, up to "end">
 *     closure names="namespace0.0 ..."  the daemon's: what nobody else may touch meanwhile;
 *                                       started= and ended= below are usec of CLOCK_REALTIME
 *     begin 1                          written and synced before step 1 is applied
 *     announce                         PrepareForRemoval(true) is due
 *     delay-over how=released          or timed-out: whoever asked for time has had it
 *     end 1
 *     begin 2
 *     fail 2 kind=busy err=16 node=/mnt/pmem sentence="..."
 *     climb 2                          the run goes on on rung 2
 *     held /mnt/pmem process=...       who still held it (for people)
 *     killed 812 comm=db unit=db.service reason="..."
 *     hook 10-site:query               before a program of the site is run: never a second time
 *     hook-output 10-site verb=query text="..."
 *     hook-ended 10-site:query status=0
 *     vetoed 10-site text="..."        it says no (for people)
 *     freezing pmem0 at=...            CLOCK_MONOTONIC; from here new writers sleep
 *     not-frozen pmem0                 somebody else has frozen it, and it stays his
 *     frozen pmem0 / thawed pmem0 usec=...
 *     committed                        forward only from here
 *     warn ...                         something for people that changes nothing
 *     progress 3 text="..."            what is being waited for
 *     reverted 2
 *     finished result=done ended=...   the worker's last word; then the file is only a memory
 *     reported                         journal and bus were told; else the next daemon does it
 *
 *     left 812 signal=SIGTERM          exited after that signal
 *     holds 812 start=4711 now=no      lives, and has let go (or, now=yes, holds it again)
 *
 * "signalled", "newcomer", "unbinding", "sigbus", "kernel", "console" are explained
 * where a step writes them.
 *
 * The same records go to the parent over the worker's socket, and four that are not kept:
 * "lock-wait", "complaint", "missed" (run.h), and "awaited": who is waited for. A lock (flock) on
 * the open file says that somebody works on it; a child that sleeps in the unbind write inherits
 * it, so it is held exactly as long as the kernel is busy. A torn last line (power loss, full disk)
 * is ignored: it was not synced, so what it announces had not begun. */

#include "plan.h"
#include "policy.h"

#define LEDGER_DIR "/run/pmemremoved"

typedef struct Ledger {
        int fd;
        char *path;
        uint64_t id;
        Request *request;
        Plan *plan;
        Record **records; /* after the plan, oldest first */
        size_t n_records;
        long torn_at; /* where a half-written last line starts, -1 if there is none */
        bool old;     /* of a program that wrote no digest yet, nor all of today's notes */
} Ledger;

Ledger *ledger_free(Ledger *l);
DEFINE_CLEANUP(Ledger *, ledger_free);

/* A new file in dir with a new id (never reused within a boot), locked. */
int ledger_create(const char *dir, const Request *req, const Plan *plan, Ledger **ret) _must_check_;
/* Reads, and refuses what others could have written (util/own-file.h), is damaged or another
 * version's; own_file_cause() says why. Does not lock. */
int ledger_load(const char *path, StepLookup lookup, Ledger **ret) _must_check_;
/* The same; also refuses one that was written under another id. */
int ledger_load_id(const char *dir, uint64_t id, StepLookup lookup, Ledger **ret) _must_check_;
/* Takes fd over on success. */
int ledger_open_fd(int fd, StepLookup lookup, Ledger **ret) _must_check_;
/* flock; -EWOULDBLOCK while another process, or its child in the kernel, holds it. */
int ledger_lock(Ledger *l, bool wait) _must_check_;
/* Appends and syncs. */
int ledger_append(Ledger *l, const Record *r) _must_check_;
/* Ids of the ledgers in dir, ascending. */
int ledger_list(const char *dir, uint64_t **ret, size_t *ret_n) _must_check_;
int ledger_path(const char *dir, uint64_t id, char **ret) _must_check_;

/* What the records say. */
const Record *ledger_last(const Ledger *l, const char *verb);
bool ledger_finished(const Ledger *l, const char **ret_result);
bool ledger_committed(const Ledger *l);
unsigned ledger_rung(const Ledger *l);
bool ledger_began(const Ledger *l, unsigned step);
bool ledger_ended(const Ledger *l, unsigned step);
