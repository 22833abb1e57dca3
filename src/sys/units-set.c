/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* See the header. The manager orders by After= only what is queued at the same time; a job that is
 * queued when another one is already done, or already runs, comes too late for that. So the set is
 * sorted here, and jobs are queued in this order: whatever comes first is at least queued before.
 */

#include "sys/units-set.h"

/* Somebody who requires sysinit.target requires the whole machine. */
#define UNITS_MAX 256

static const char *const role_names[_UNIT_ROLE_MAX] = {
        [UNIT_HOLDER] = "holder",
        [UNIT_TRIGGER] = "trigger",
        [UNIT_ALSO] = "also",
};

const char *unit_role_to_string(UnitRole role)
{
        return role_names[role];
}

bool unit_is_up(const UnitFacts *u)
{
        return u->state && !streq(u->state, "inactive") && !streq(u->state, "failed");
}

static void facts_done(UnitFacts *u)
{
        free(u->name);
        free(u->state);
        free(u->restart);
        free(u->slice);
        (void)strv_free(u->triggered_by);
        for (size_t i = 0; i < ELEMENTSOF(u->stops); i++)
                (void)strv_free(u->stops[i]);
        (void)strv_free(u->upheld_by);
        (void)strv_free(u->after);
        *u = (UnitFacts){ 0 };
}

void unit_set_done(UnitSet *s)
{
        for (size_t i = 0; i < s->n; i++)
                facts_done(s->items + i);
        free(s->items);
        *s = (UnitSet){ 0 };
}

static UnitFacts *find(const UnitSet *s, const char *name)
{
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->items[i].name, name))
                        return s->items + i;
        return NULL;
}

/* --- who belongs to it --- */

static int add(UnitSet *s, const char *name, UnitRole role, UnitAsk ask, void *arg)
{
        UnitFacts *known = find(s, name), *grown, u = { .role = role };
        int r;

        /* What can start others is stopped first, however it was found. */
        if (known && role == UNIT_TRIGGER && known->role == UNIT_ALSO)
                known->role = role;
        if (known)
                return 0;
        if (s->n >= UNITS_MAX)
                return -E2BIG;
        grown = reallocarray(s->items, s->n + 1, sizeof(UnitFacts));
        if (!grown)
                return -ENOMEM;
        s->items = grown;
        r = free_and_strdup(&u.name, name);
        if (r == 0)
                r = ask(&u, arg);
        if (r < 0) {
                facts_done(&u);
                return r;
        }
        s->items[s->n++] = u;
        return 0;
}

static int add_all(UnitSet *s, char *const *names, UnitRole role, UnitAsk ask, void *arg)
{
        int r = 0;

        for (; names && *names && r == 0; names++)
                r = add(s, *names, role, ask, arg);
        return r;
}

static int compare(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The manager keeps them in hash tables, and the same plan has to come out each time. */
static int add_sorted(UnitSet *s, char **names, UnitRole role, UnitAsk ask, void *arg)
{
        if (names)
                qsort(names, strv_length(names), sizeof(*names), compare);
        return add_all(s, names, role, ask, arg);
}

/* Adding moves the items, never their lists. */
static int add_reached(UnitSet *s, size_t i, UnitAsk ask, void *arg)
{
        const UnitFacts u = s->items[i];
        int r;

        if (!unit_is_up(&u))
                return 0;
        r = add_sorted(s, u.triggered_by, UNIT_TRIGGER, ask, arg);
        for (size_t k = 0; k < ELEMENTSOF(u.stops) && r == 0; k++)
                r = add_sorted(s, u.stops[k], UNIT_ALSO, ask, arg);
        return r;
}

static void drop_down(UnitSet *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->n; i++)
                if (unit_is_up(s->items + i))
                        s->items[n++] = s->items[i];
                else
                        facts_done(s->items + i);
        s->n = n;
}

/* --- in which order --- */

static bool is_ready(const UnitSet *s, const UnitFacts *u)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->items + i != u && !s->items[i].placed &&
                        strv_contains(u->after, s->items[i].name))
                        return false;
        return true;
}

/* The next one whose predecessors are all placed; a cycle, which the manager would break as well,
 * is broken at its first. */
static UnitFacts *next(const UnitSet *s)
{
        UnitFacts *first = NULL;

        for (size_t i = 0; i < s->n; i++) {
                UnitFacts *u = s->items + i;

                if (u->placed)
                        continue;
                if (is_ready(s, u))
                        return u;
                if (!first)
                        first = u;
        }
        return first;
}

static int sort(UnitSet *s)
{
        UnitFacts *sorted = calloc(s->n + 1, sizeof(UnitFacts)), *u;
        size_t n = 0;

        if (!sorted)
                return -ENOMEM;
        while ((u = next(s))) {
                sorted[n++] = *u;
                u->placed = true;
        }
        free(s->items);
        s->items = sorted;
        return 0;
}

int unit_set_build(UnitSet *s, char *const *names, UnitAsk ask, void *arg)
{
        int r = add_all(s, names, UNIT_HOLDER, ask, arg);

        for (size_t i = 0; i < s->n && r == 0; i++)
                r = add_reached(s, i, ask, arg);
        if (r < 0)
                return r;
        drop_down(s);
        return sort(s);
}

/* --- what one of them draws along --- */

static void walk(const UnitSet *s, const UnitFacts *u, bool *seen);

static void walk_names(const UnitSet *s, char *const *names, bool *seen)
{
        for (; names && *names; names++) {
                const UnitFacts *u = find(s, *names);

                if (u)
                        walk(s, u, seen);
        }
}

/* As deep as the set is large. */
static void walk(const UnitSet *s, const UnitFacts *u, bool *seen)
{
        if (seen[u - s->items])
                return;
        seen[u - s->items] = true;
        walk_names(s, u->triggered_by, seen);
        for (size_t i = 0; i < ELEMENTSOF(u->stops); i++)
                walk_names(s, u->stops[i], seen);
}

int unit_set_reach(const UnitSet *s, const UnitFacts *from, bool triggers, char ***ret)
{
        bool seen[UNITS_MAX] = { false };
        int r = 0;

        walk(s, from, seen);
        for (size_t i = 0; i < s->n && r == 0; i++)
                if (seen[i] && s->items + i != from &&
                        (s->items[i].role == UNIT_TRIGGER) == triggers)
                        r = strv_append(ret, s->items[i].name);
        return r;
}

const char *unit_set_upholder(
        const UnitSet *s, const UnitFacts *u, UnitAsk ask, void *arg, char *buf, size_t size)
{
        for (char **name = u->upheld_by; name && *name; name++) {
                UnitFacts upholder = { .role = UNIT_ALSO };
                bool up = find(s, *name) == NULL && free_and_strdup(&upholder.name, *name) == 0 &&
                          ask(&upholder, arg) == 0 && unit_is_up(&upholder);

                facts_done(&upholder);
                if (!up)
                        continue;
                (void)snprintf(buf, size, "%s", *name);
                return buf;
        }
        return NULL;
}
