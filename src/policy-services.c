/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Services that the service manager stops: the step, what is refused about them, what is said.
 * Whoever has no unit, a scope or a unit that nobody could ask about is signalled like any other
 * process. */

#include "policy-build.h"

#include "kinds.h"
#include "util/system-units.h"

/* A start that is undone work may find its service still stopping, and a database that reads its
 * log first. */
#define START_EXTRA_USEC (90 * USEC_PER_SEC)

static bool has_victim(const Node *unit)
{
        for (size_t i = 0; i < unit->n_lower; i++)
                if (unit->lower[i]->marked && !build_is_passer_by(unit->lower[i]))
                        return true;
        return false;
}

static bool is_stopped(const Build *b, const Node *n)
{
        return b->policy->stop_units && build_takes(b, n, KIND_UNIT) &&
               !node_has(n, "state", "unknown") && has_victim(n);
}

bool build_is_stopped_by_manager(const Build *b, const Node *process)
{
        for (size_t i = 0; i < process->n_upper; i++)
                if (is_stopped(b, process->upper[i]))
                        return true;
        return false;
}

/* --- what is refused --- */

static int check_drawn(Build *b, const Node *n, const char *name)
{
        if (unit_is_rescue(name))
                return build_block(b, FAILURE_PROTECTED, name,
                        "it would be stopped with %s, and the system itself needs it; stop %s "
                        "by hand in a way that spares it and ask again",
                        node_name(n), node_name(n));
        if (strv_fnmatch(b->policy->protect_unit, name))
                return build_block(b, FAILURE_PROTECTED, name,
                        "ProtectUnit= protects it, and it would be stopped with %s; stop it and "
                        "ask again",
                        node_name(n));
        return 0;
}

int build_rule_unit(Build *b, const Node *n)
{
        static const char *const keys[] = { "triggers", "also" };
        int e = 0;

        if (!is_stopped(b, n))
                return 0;
        if (node_get(n, "refusal"))
                e = build_block(b, FAILURE_BUSY, node_name(n), "%s", node_get(n, "refusal"));
        for (size_t i = 0; i < ELEMENTSOF(keys) && e == 0; i++) {
                _cleanup_(strv_freep) char **names = NULL;

                e = strv_split(strempty(node_get(n, keys[i])), &names);
                for (char **name = names; name && *name && e == 0; name++)
                        e = check_drawn(b, n, *name);
        }
        return e;
}

/* --- the step --- */

typedef struct Names {
        char **units;
        char **triggers;
        char **also;
} Names;

static void names_done(Names *n)
{
        (void)strv_free(n->units);
        (void)strv_free(n->triggers);
        (void)strv_free(n->also);
}

static int add_words(char ***list, const char *words, char *const *known)
{
        _cleanup_(strv_freep) char **names = NULL;
        int e = strv_split(strempty(words), &names);

        for (char **name = names; name && *name && e == 0; name++)
                if (!strv_contains(*list, *name) && !strv_contains(known, *name))
                        e = strv_append(list, *name);
        return e;
}

static int collect(const Build *b, Names *names)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++)
                if (is_stopped(b, b->g->nodes[i]))
                        e = strv_append(&names->units, node_name(b->g->nodes[i]));
        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *n = b->g->nodes[i];

                if (!is_stopped(b, n))
                        continue;
                e = add_words(&names->triggers, node_get(n, "triggers"), names->units);
                if (e == 0)
                        e = add_words(&names->also, node_get(n, "also"), names->units);
        }
        return e;
}

/* All of them, for people. */
static int join(const Names *names, char **ret)
{
        _cleanup_(freep) char *units = NULL;
        _cleanup_(freep) char *triggers = NULL;
        _cleanup_(freep) char *also = NULL;
        int e = strv_join(names->units, &units);

        if (e == 0)
                e = strv_join(names->triggers, &triggers);
        if (e == 0)
                e = strv_join(names->also, &also);
        if (e < 0)
                return e;
        *ret = string_printf(
                "%s%s%s%s%s", triggers, *triggers ? " " : "", also, *also ? " " : "", units);
        return *ret ? 0 : -ENOMEM;
}

static int set_keys(const Build *b, Record *r, const Names *names)
{
        int e = build_set_words(r, "units", names->units);

        if (e == 0)
                e = build_set_words(r, "triggers", names->triggers);
        if (e == 0)
                e = build_set_words(r, "also", names->also);
        if (e == 0)
                e = build_set_usec(r, "wait", b->policy->stop_unit_timeout_usec);
        if (e == 0)
                e = build_set_usec(r, "start-wait",
                        usec_add(b->policy->stop_unit_timeout_usec, START_EXTRA_USEC));
        if (e == 0)
                e = build_set_held_keys(b, r);
        return e < 0 ? e : build_set_words(r, "protect-units", b->policy->protect_unit);
}

int build_stop_units(Build *b, const StepOps *ops)
{
        _cleanup_(names_done) Names names = { 0 };
        _cleanup_(freep) char *all = NULL;
        _cleanup_(record_freep) Record *r = NULL;
        int e = collect(b, &names);

        if (e < 0 || !names.units)
                return e;
        e = join(&names, &all);
        if (e < 0)
                return e;
        r = build_new_step(b, ops, all);
        return build_add_step(b, ops, &r, r ? set_keys(b, r, &names) : -ENOMEM);
}

/* --- what is said --- */

static int add_note(Build *b, const Node *n)
{
        const char *restart = node_get(n, "restart");

        if (is_stopped(b, n) && node_get(n, "transient"))
                return plan_add_note(b->plan,
                        "%s: a transient unit; if the removal is undone, only whoever made it can "
                        "start it again",
                        node_name(n));
        if (is_stopped(b, n) && (node_get(n, "also") || node_get(n, "triggers")))
                return plan_add_note(b->plan, "%s: stopped by its manager, and with it:%s%s%s%s",
                        node_name(n), node_get(n, "triggers") ? " " : "",
                        strempty(node_get(n, "triggers")), node_get(n, "also") ? " " : "",
                        strempty(node_get(n, "also")));
        if (!b->policy->stop_units && build_takes(b, n, KIND_UNIT) && restart &&
                !streq(restart, "no"))
                return plan_add_note(b->plan,
                        "%s: StopUnits=no: its processes are signalled, and Restart=%s may bring "
                        "it back",
                        node_name(n), restart);
        return 0;
}

int build_unit_notes(Build *b)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++)
                if (build_takes(b, b->g->nodes[i], KIND_UNIT) && has_victim(b->g->nodes[i]))
                        e = add_note(b, b->g->nodes[i]);
        return e;
}
