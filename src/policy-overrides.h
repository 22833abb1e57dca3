/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which checks a request may overrule, one by one and by name. One table; the rules, the error that
 * lists what is known, the man pages and the completion follow it (tests/checks/overrides.sh).
 *
 * Only what an operator can answer for stands here: limits that he set himself, and time. A check
 * whose violation loses data, kills the machine or stops it has no name, and there is no name for
 * all of them. */

#include <stdbool.h>

#include "failure.h"

typedef enum Override {
        OVERRIDE_FREEZE_BUDGET,
        OVERRIDE_BUDGET,
        OVERRIDE_DEGRADED,
        OVERRIDE_PROTECTED,
        _OVERRIDE_MAX,
} Override;

typedef struct OverrideInfo {
        const char *name;
        const char *silences; /* configuration keys that it sets aside for one removal */
        const char *sentence;
} OverrideInfo;

const OverrideInfo *override_info(Override o);
/* FAILURE_INVALID_OPTION for a name that is not in the table, with those that are. */
int overrides_check(char *const *names, Failure *f) _must_check_;
bool overrides_have(char *const *names, Override o);
