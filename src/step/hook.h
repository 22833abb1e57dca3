/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs one hook of the site for the steps query, prepare and done; each verb at most once per
 * removal, also across a crash. */

#include "step/step.h"
#include "sys/command.h"

/* What a hook's exit status means; everything else is a failure. */
#define HOOK_FINE 0
#define HOOK_NOT_SUPPORTED 2
#define HOOK_REFUSED 3

typedef struct HookAnswer {
        int status; /* or negative errno */
        int signal;
        char last_line[COMMAND_LINE_MAX];
} HookAnswer;

/* Has this verb been begun, by an earlier worker or by this one? */
bool hook_began(const Step *s, Run *run, const char *verb);
/* Negative errno only when it was not begun, with the Failure filled. */
int hook_run(const Step *s, Run *run, const char *verb, int cancel_fd, HookAnswer *ret,
        Failure *f) _must_check_;
/* An earlier worker may have died while it ran: it is ended. True when there was something to end.
 */
bool hook_stop(const Step *s, Run *run, const char *verb);
/* What went wrong, "it ended with status 1: LAST LINE"; NULL when nothing did. */
const char *hook_problem(const HookAnswer *a, char *buf, size_t size);
/* Runs a verb that can stop nothing, once, whatever dies meanwhile; what goes wrong is a warning.
 * unless: why it must not be run (NULL: it may). */
void hook_tell(const Step *s, Run *run, const char *verb, const char *unless);
