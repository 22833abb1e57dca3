/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The answer of PlanRemove, key by key. All keys are always there, so that a client never has to
 * ask whether an empty list means "none" or "not told". */

#include "bus-append.h"
#include "bus-calls.h"
#include "kinds.h"
#include "caller-limits.h"
#include "topology.h"
#include "util/text.h"
#include "util/utf8.h"

typedef struct Answer {
        const Request *req;
        const Verdict *verdict;
        const Graph *graph; /* the closure is marked */
} Answer;

static int put_verdict(sd_bus_message *m, const Answer *a)
{
        return bus_append(m, "s", a->verdict->plan ? "ok" : "refused");
}

static int put_mode(sd_bus_message *m, const Answer *a)
{
        return bus_append(m, "s", strempty(a->verdict->mode));
}

static int put_roads(sd_bus_message *m, const Answer *a)
{
        const Plan *p = a->verdict->plan;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(ss)");
        for (size_t i = 0; p && i < p->n_roads && r >= 0; i++)
                r = bus_append(m, "(ss)", strempty(p->roads[i]->name),
                        strempty(record_get(p->roads[i], "why")));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int put_estimate(sd_bus_message *m, const Answer *a)
{
        return bus_append(m, "t", a->verdict->estimate_usec);
}

static int put_plan_id(sd_bus_message *m, const Answer *a)
{
        return bus_append(m, "s", a->verdict->plan ? a->verdict->plan->id : "");
}

static int put_plan(sd_bus_message *m, const Answer *a)
{
        _cleanup_(freep) char *text = NULL;
        int r = 0;

        if (a->verdict->plan)
                r = plan_print(a->verdict->plan, &text);
        return r < 0 ? r : bus_append(m, "s", strempty(text));
}

static int put_steps(sd_bus_message *m, const Answer *a)
{
        const Plan *p = a->verdict->plan;
        size_t left = LIMIT_ANSWER_LIST;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(uuss)");
        for (size_t i = 0;
                p && i < p->n_steps && r >= 0 && utf8_fits(&left, step_node(&p->steps[i])); i++)
                r = bus_append(m, "(uuss)", p->steps[i].number, p->steps[i].rung,
                        p->steps[i].ops->name, step_node(&p->steps[i]));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int put_kill(sd_bus_message *m, const Record *process, size_t *left)
{
        const char *uses = record_get(process, "uses"), *example = record_get(process, "example"),
                   *container = record_get(process, "container");
        const char *session = record_get(process, "session");
        _cleanup_(freep) char *why = string_printf("%s%s%s%s%s%s%s%s%s", strempty(uses),
                example ? " " : "", strempty(example), container ? ", in container " : "",
                strempty(container), session ? ", " : "", strempty(session),
                record_get(process, "frozen") ? ", frozen" : "",
                record_get(process, "stop") ? ", stopped with its unit" : "");
        pid_t pid;

        if (!why)
                return -ENOMEM;
        if (parse_pid(strempty(process->name), &pid) < 0 || !utf8_fits(left, why) ||
                !utf8_fits(left, strempty(record_get(process, "comm"))) ||
                !utf8_fits(left, strempty(record_get(process, "unit"))))
                return 0;
        return bus_append(m, "(usss)", (uint32_t)pid, strempty(record_get(process, "comm")),
                strempty(record_get(process, "unit")), why);
}

static int put_kills(sd_bus_message *m, const Answer *a)
{
        const Plan *p = a->verdict->plan;
        size_t left = LIMIT_ANSWER_LIST;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(usss)");
        for (size_t i = 0; p && i < p->n_processes && r >= 0; i++)
                r = put_kill(m, p->processes[i], &left);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int put_blockers(sd_bus_message *m, const Answer *a)
{
        size_t left = LIMIT_ANSWER_LIST;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(sss)");
        for (size_t i = 0; i < a->verdict->n_blockers && r >= 0; i++) {
                const Failure *f = &a->verdict->blockers[i];
                const FailureInfo *info = failure_info(f->kind);

                if (!utf8_fits(&left, f->node) || !utf8_fits(&left, f->sentence))
                        break;
                r = bus_append(m, "(sss)", info->bus_name, f->node,
                        *f->sentence ? f->sentence : info->sentence);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int node_on(const Node *n, char **ret)
{
        _cleanup_(freep) char *on = strdup("");

        for (size_t i = 0; on && i < n->n_lower; i++) {
                char *longer = string_printf("%s%s%s:%s", on, *on ? " " : "",
                        node_kind(n->lower[i]), node_name(n->lower[i]));

                free(on);
                on = longer;
        }
        *ret = TAKE_PTR(on);
        return *ret ? 0 : -ENOMEM;
}

static int put_attributes(sd_bus_message *m, const Record *rec)
{
        int r = 0;

        for (size_t i = 0; i < rec->n_fields && r >= 0; i++)
                r = bus_append(m, "{ss}", rec->fields[i].key, rec->fields[i].value);
        return r;
}

/* With its keys; the words around them count as well. */
static bool node_fits(const Node *n, const char *on, size_t *left)
{
        bool fits = utf8_fits(left, on) && utf8_fits(left, node_name(n));

        for (size_t i = 0; i < n->record->n_fields && fits; i++)
                fits = utf8_fits(left, n->record->fields[i].key) &&
                       utf8_fits(left, n->record->fields[i].value);
        return fits;
}

static int put_node(sd_bus_message *m, const Node *n, size_t *left)
{
        _cleanup_(freep) char *on = NULL;
        int r;

        r = node_on(n, &on);
        if (r < 0 || !node_fits(n, on, left))
                return r;
        r = sd_bus_message_open_container(m, 'a', "{ss}");
        if (r >= 0)
                r = bus_append(
                        m, "{ss}{ss}{ss}", "kind", node_kind(n), "name", node_name(n), "on", on);
        if (r >= 0)
                r = put_attributes(m, n->record);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Insertion order of a graph is bottom up. */
static int put_holders(sd_bus_message *m, const Answer *a)
{
        size_t left = LIMIT_ANSWER_LIST;
        int r;

        r = sd_bus_message_open_container(m, 'a', "a{ss}");
        for (size_t i = 0; a->graph && i < a->graph->n_nodes && r >= 0 && left > 0; i++)
                if (a->graph->nodes[i]->marked)
                        r = put_node(m, a->graph->nodes[i], &left);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int put_host(sd_bus_message *m, const Answer *a)
{
        const Node *host = a->graph ? graph_find(a->graph, KIND_HOST, KIND_HOST) : NULL;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{ss}");
        if (r >= 0 && host)
                r = put_attributes(m, host->record);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int put_notes(sd_bus_message *m, const Answer *a)
{
        char **notes = a->verdict->plan ? a->verdict->plan->notes : NULL;
        size_t left = LIMIT_ANSWER_LIST;
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (; notes && *notes && r >= 0 && utf8_fits(&left, *notes); notes++)
                r = bus_append(m, "s", *notes);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static const struct {
        const char *key;
        const char *type;
        int (*put)(sd_bus_message *m, const Answer *a);
} keys[] = {
        { "verdict", "s", put_verdict },
        { "mode", "s", put_mode },
        { "roads", "a(ss)", put_roads },
        { "estimate-usec", "t", put_estimate },
        { "plan-id", "s", put_plan_id },
        { "plan", "s", put_plan },
        { "steps", "a(uuss)", put_steps },
        { "kills", "a(usss)", put_kills },
        { "blockers", "a(sss)", put_blockers },
        { "holders", "aa{ss}", put_holders },
        { "host", "a{ss}", put_host },
        { "notes", "as", put_notes },
};

static int put_key(sd_bus_message *m, size_t i, const Answer *a)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = bus_append(m, "s", keys[i].key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', keys[i].type);
        if (r >= 0)
                r = keys[i].put(m, a);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Marks do not travel in the text of a graph. */
static void mark(Graph *g, const char *target)
{
        Node *start;

        if (!g)
                return;
        graph_unmark(g);
        if (topology_resolve(g, target, &start, NULL) == 0)
                topology_mark_closure(g, start);
}

int bus_plan_reply(sd_bus_message *msg, const Request *req, const Verdict *v, Graph *g)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Answer a = { .req = req, .verdict = v, .graph = g };
        int r;

        if (v->plan && (r = plan_seal(v->plan)) < 0)
                return r;
        mark(g, req->target);
        r = sd_bus_message_new_method_return(msg, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (size_t i = 0; i < ELEMENTSOF(keys) && r >= 0; i++)
                r = put_key(reply, i, &a);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
