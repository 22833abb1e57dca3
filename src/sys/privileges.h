/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/cleanup.h"

/* Each process of ours but --recover lowers itself, as its first act, to what its part needs. The
 * unit's bounding set is what all of them together need. */

#define PRIVILEGE(capability) (UINT64_C(1) << (capability))

typedef enum PrivilegeRole {
        PRIVILEGES_DAEMON,
        PRIVILEGES_PLANNER,
        PRIVILEGES_CLEANER,
        PRIVILEGES_WORKER,
        PRIVILEGES_GUARDIAN,
        _PRIVILEGES_MAX,
} PrivilegeRole;

/* Also "extra" of what the role does not have of itself. Best effort in the sense of the caller: a
 * process that keeps too much works as well, and one that thaws must not fail over it. */
int privileges_lower(PrivilegeRole role, uint64_t extra);
/* Has this process got them now? */
bool privileges_held(uint64_t capabilities);
/* May a worker of ours have these? Also from a process that has lowered itself. */
bool privileges_within_reach(uint64_t capabilities);
