/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A ladder of signals, "SIGTERM:10s SIGINT:5s": who does not leave after the first within its time
 * gets the second. */

#include "util/text.h"

#define LADDER_RUNGS_MAX 8
/* Whoever asks for longer than a day has forgotten a unit. */
#define LADDER_WAIT_MAX_USEC (24 * 3600 * USEC_PER_SEC)

typedef struct LadderRung {
        int signal;
        uint64_t wait_usec;
} LadderRung;

typedef struct Ladder {
        LadderRung rungs[LADDER_RUNGS_MAX];
        size_t n; /* 0: nobody is signalled */
} Ladder;

/* Replaces *ret as a whole. On -EINVAL and -ERANGE *ret is as it was and *ret_cause says what is
 * wrong. */
int ladder_parse(const char *text, Ladder *ret, const char **ret_cause) _must_check_;
