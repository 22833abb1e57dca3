/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the service manager would stop together with some units, what would start them again, and in
 * which order all of them are started. Pure: who knows the facts is asked by a function. */

#include <stdbool.h>

#include "util/text.h"

typedef enum UnitRole {
        UNIT_HOLDER,  /* one of those that were named */
        UNIT_TRIGGER, /* socket, timer or path that would start one of the others */
        UNIT_ALSO,    /* stopped by the manager together with one of the others */
        _UNIT_ROLE_MAX,
} UnitRole;

const char *unit_role_to_string(UnitRole role);

typedef struct UnitFacts {
        char *name;
        char *state; /* ActiveState */
        char *restart;
        char *slice;
        bool transient;
        bool can_start; /* RefuseManualStart=no */
        bool can_stop;
        char **triggered_by;
        char **stops[5]; /* by each kind of dependency that passes a stop on */
        char **upheld_by;
        char **after;
        UnitRole role;
        bool placed; /* scratch of unit_set_sort() */
} UnitFacts;

/* Active, or on the way there or back. */
bool unit_is_up(const UnitFacts *u);

typedef struct UnitSet {
        UnitFacts *items;
        size_t n;
} UnitSet;

void unit_set_done(UnitSet *s);

/* Fills *ret, whose name and role are known. A unit that does not exist is "inactive". */
typedef int (*UnitAsk)(UnitFacts *ret, void *arg);

/* Everything that is up and reached from names, directly or through others, in the order in which
 * the manager would start it. -E2BIG for more units than anybody would want to have stopped. */
int unit_set_build(UnitSet *s, char *const *names, UnitAsk ask, void *arg) _must_check_;
/* Names of the triggers that are reached from this unit, or of everything else. */
int unit_set_reach(
        const UnitSet *s, const UnitFacts *from, bool triggers, char ***ret) _must_check_;
/* An active unit outside of the set that would start this one again at once; NULL: none. */
const char *unit_set_upholder(
        const UnitSet *s, const UnitFacts *u, UnitAsk ask, void *arg, char *buf, size_t size);
