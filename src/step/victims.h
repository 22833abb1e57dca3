/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A set of processes, each with a pidfd that was opened and checked by start time: who is signalled
 * and waited for. Exits are announced by the pidfd, never polled for, and a reused pid is never
 * hit. */

#include "step/step.h"

typedef enum VictimState {
        VICTIM_HOLDS,
        VICTIM_GONE,   /* it has exited */
        VICTIM_LET_GO, /* it lives and holds nothing any more */
        VICTIM_SPARED, /* a frozen cgroup keeps the signal from it: neither sent nor waited for */
} VictimState;

typedef struct Victim {
        pid_t pid;
        uint64_t start;
        int pidfd;
        VictimState state;
        int asked; /* the signal it got, 0: none */
        char comm[16];
        char unit[128];
        char uses[64];
} Victim;

typedef struct Victims {
        Victim *items;
        size_t n;
} Victims;

void victims_done(Victims *v);
/* Processes of the plan and newcomers that still live and have not let go; with a namespace only
 * those that may use it. */
int victims_open(Run *run, const char *namespace, Victims *v) _must_check_;
/* The plan does not say that this process uses other namespaces only. */
bool process_uses(const Record *process, const char *namespace);
/* Finds out who of them has let go, and notes it. Nobody, if they cannot be looked at. */
int victims_look(Run *run, const Step *s, Victims *v) _must_check_;
/* Those still awaited. */
size_t victims_alive(const Victims *v);
/* "812 (db), 977 (shell)" of those. */
const char *victims_names(const Victims *v, char *buf, size_t size);
/* Sends the signal to them; why becomes the reason of a "killed" note when the signal is SIGKILL,
 * or of a "signalled" note. */
int victims_signal(Run *run, Victims *v, int sig, const char *why) _must_check_;
/* Until nobody is left or the deadline passes: number of those left. Tells the parent who is
 * awaited at once, then every few seconds. -ECANCELED with the Failure filled. look: whoever lets
 * go without exiting is not awaited either. */
int victims_wait(Run *run, const Step *s, Victims *v, bool look, uint64_t deadline_usec,
        Failure *f) _must_check_;
