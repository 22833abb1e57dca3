/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Services of the machine's service manager that processes on the memory belong to: they are to be
 * stopped by the manager, which runs their ExecStop= and knows that Restart= does not apply. One
 * node per service, on its processes, so that whatever marks those marks it, too.
 *
 * No node, and so signals, for what cannot be stopped like that: a scope has nothing to run and is
 * nothing but its processes (sessions, containers of docker and podman); user@UID.service is the
 * whole session of a user, of which one process is in the way; what is in machine.slice belongs to
 * machinectl and its kin; what the manager does not call active has nothing left but processes. */

#include <fnmatch.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/units.h"

/* PID 1 answers in milliseconds, if it does. */
#define MANAGER_TIMEOUT_USEC (5 * USEC_PER_SEC)

static bool is_service(const char *unit)
{
        return fnmatch("*.service", unit, 0) == 0 && fnmatch("user@*.service", unit, 0) != 0;
}

static int collect(const Graph *g, char ***services)
{
        int r = 0;

        for (size_t i = 0; i < g->n_nodes && r == 0; i++) {
                const char *unit =
                        node_is(g->nodes[i], KIND_PROCESS) ? node_get(g->nodes[i], "unit") : NULL;

                if (unit && is_service(unit) && !strv_contains(*services, unit))
                        r = strv_append(services, unit);
        }
        return r;
}

static int link_processes(const Graph *g, Node *unit)
{
        int r = 0;

        for (size_t i = 0; i < g->n_nodes && r == 0; i++)
                if (node_is(g->nodes[i], KIND_PROCESS) &&
                        node_has(g->nodes[i], "unit", node_name(unit)))
                        r = graph_link(unit, g->nodes[i]);
        return r;
}

static int copy_facts(Node *n, const Record *facts)
{
        static const char *const keys[] = { "state", "restart", "triggers", "also", "transient" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(keys) && r == 0; i++) {
                const char *value = record_get(facts, keys[i]);

                if (value)
                        r = node_set(n, keys[i], value);
        }
        return r;
}

static bool refuses(const Record *facts, const char *what)
{
        const char *value = strempty(record_get(facts, "refuses"));

        return streq(value, what) || streq(value, "stop,start");
}

/* What the manager would not do, or would undo at once. */
static int set_refusal(Node *n, const Record *facts)
{
        const char *why = record_get(facts, "upholder"), *name = facts->name;
        bool stays = refuses(facts, "stop");

        if (why)
                return node_setf(n, "refusal",
                        "%s upholds %s (Upholds=) and would start it again at once; stop %s and "
                        "ask again",
                        why, name, why);
        if (!stays && !refuses(facts, "start"))
                return 0;
        return node_setf(n, "refusal",
                "%s may not be %s by hand (RefuseManual%s=yes), so it cannot be %s; end it in the "
                "way it is meant to be ended and ask again",
                name, stays ? "stopped" : "started", stays ? "Stop" : "Start",
                stays ? "stopped here" : "brought back after an undone removal");
}

/* Triggers are stopped by hand like the service itself. What is only stopped together with others
 * is not, but has to be able to come back. */
static bool is_refused(const Record *other)
{
        return record_get(other, "upholder") || refuses(other, "start") ||
               (refuses(other, "stop") && streq(strempty(record_get(other, "role")), "trigger"));
}

static int set_refusals(Node *n, const Record *facts, const UnitList *l)
{
        static const char *const keys[] = { "triggers", "also" };
        int r = set_refusal(n, facts);

        for (size_t i = 0; i < ELEMENTSOF(keys) && r == 0; i++) {
                _cleanup_(strv_freep) char **names = NULL;

                r = strv_split(strempty(record_get(facts, keys[i])), &names);
                for (char **name = names; r == 0 && name && *name; name++) {
                        const Record *other = unit_list_find(l, *name);

                        if (other && !node_get(n, "refusal") && is_refused(other))
                                r = set_refusal(n, other);
                }
        }
        return r;
}

static bool is_machine(const Record *facts)
{
        const char *slice = strempty(record_get(facts, "slice"));

        return streq(slice, "machine.slice") || fnmatch("machine-*", slice, 0) == 0;
}

static int add_unit(Graph *g, const char *name, Node **ret)
{
        int r = graph_add(g, KIND_UNIT, name, ret);

        return r < 0 ? r : link_processes(g, *ret);
}

static int add_known(Graph *g, const Record *facts, const UnitList *l)
{
        Node *n;
        int r;

        if (!streq(strempty(record_get(facts, "role")), "holder") || is_machine(facts))
                return 0;
        r = add_unit(g, facts->name, &n);
        if (r == 0)
                r = copy_facts(n, facts);
        return r < 0 ? r : set_refusals(n, facts, l);
}

/* Without the manager there are still signals. */
static int add_unknown(Graph *g, const char *name, int error)
{
        Node *n;
        int r = add_unit(g, name, &n);

        if (r == 0)
                r = node_set(n, "state", "unknown");
        return r < 0 ? r
                     : holder_add_note(n,
                               "the service manager did not say how it would be stopped (%s), so "
                               "its processes are only signalled, and the manager may start it "
                               "again",
                               strerror(-error));
}

static int unit_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(unit_list_done) UnitList l = { 0 };
        _cleanup_(strv_freep) char **services = NULL;
        int r = collect(scan->graph, &services), answer;

        if (r < 0 || !services)
                return r;
        answer = units_query(services, MANAGER_TIMEOUT_USEC, &l);
        if (answer == -ENOMEM)
                return answer;
        for (char **s = services; answer < 0 && *s && r == 0; s++)
                r = add_unknown(scan->graph, *s, answer);
        for (size_t i = 0; answer == 0 && i < l.n && r == 0; i++)
                r = add_known(scan->graph, l.items[i], &l);
        return r;
}

const HolderOps holder_unit = {
        .kind = KIND_UNIT,
        .discover_all = unit_discover,
};
