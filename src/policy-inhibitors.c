/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What applications say about a removal (inhibitor.h). Inhibitors are nodes of the graph like all
 * other facts that policy reads, but stand on nothing: they keep no memory in use, so they must not
 * count as something above it. What one is about stands in its names=. */

#include "inhibitor.h"
#include "kinds.h"
#include "policy-build.h"
#include "topology.h"

/* Names of the namespaces and regions that are marked, without those that are there already. */
static int add_marked(const Graph *g, char ***names)
{
        int r = 0;

        for (size_t i = 0; i < g->n_nodes && r == 0; i++) {
                const Node *n = g->nodes[i];

                if (n->marked && (node_is(n, KIND_NAMESPACE) || node_is(n, KIND_REGION)) &&
                        !strv_contains(*names, node_name(n)))
                        r = strv_append(names, node_name(n));
        }
        return r;
}

int policy_closure(Graph *g, const char *target, char ***ret, Failure *f)
{
        _cleanup_(strv_freep) char **names = NULL;
        Node *node;
        int r;

        r = topology_resolve(g, target, &node, f);
        if (r < 0)
                return r;
        topology_mark_closure(g, node);
        r = add_marked(g, &names);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

/* A mount point is another filesystem now, or a namespace was added to the region: what the word
 * means today is protected, and so is what it meant when the lock was taken. */
static int current_names(Graph *g, Inhibitor *i)
{
        Node *node;

        if (inhibitor_is_general(i) || topology_resolve(g, i->target, &node, NULL) < 0)
                return 0;
        topology_mark_closure(g, node);
        return add_marked(g, &i->names);
}

static int add_node(Graph *g, const Inhibitor *i)
{
        _cleanup_(record_freep) Record *r = NULL;
        Node *n;
        int e;

        e = inhibitor_to_record(i, &r);
        if (e == 0)
                e = graph_add(g, KIND_INHIBITOR, r->name, &n);
        for (size_t k = 0; e == 0 && k < r->n_fields; k++)
                e = node_set(n, r->fields[k].key, r->fields[k].value);
        return e;
}

int policy_add_inhibitor(Graph *g, const Inhibitor *i)
{
        _cleanup_(inhibitor_freep) Inhibitor *now = NULL;
        _cleanup_(record_freep) Record *r = NULL;
        int e;

        e = inhibitor_to_record(i, &r);
        if (e == 0)
                e = inhibitor_from_record(r, &now);
        if (e == 0)
                e = current_names(g, now);
        return e < 0 ? e : add_node(g, now);
}

/* --- the decision --- */

/* NULL: it says nothing about this removal. One that cannot be read forbids it. */
static int inhibitor_of(const Build *b, const Node *n, char *const *closure, Inhibitor **ret)
{
        _cleanup_(inhibitor_freep) Inhibitor *i = NULL;
        int r;

        *ret = NULL;
        if (!node_is(n, KIND_INHIBITOR))
                return 0;
        r = inhibitor_from_record(n->record, &i);
        if (r == -EBADMSG)
                r = inhibitor_new_unknown(0, &i);
        if (r == 0 && inhibitor_concerns(i, closure))
                *ret = TAKE_PTR(i);
        return r;
}

static int add_blocker(Build *b, const Inhibitor *i)
{
        Verdict *v = b->verdict;
        Failure *grown = reallocarray(v->blockers, v->n_blockers + 1, sizeof(Failure));

        if (!grown)
                return -ENOMEM;
        v->blockers = grown;
        grown[v->n_blockers] = (Failure){ 0 };
        (void)inhibitor_refuse(i, &grown[v->n_blockers++]);
        return 0;
}

static int for_each(Build *b, int (*what)(Build *b, const Inhibitor *i))
{
        _cleanup_(strv_freep) char **closure = NULL;
        int r;

        r = add_marked(b->g, &closure);
        for (size_t k = 0; k < b->g->n_nodes && r == 0; k++) {
                _cleanup_(inhibitor_freep) Inhibitor *i = NULL;

                r = inhibitor_of(b, b->g->nodes[k], closure, &i);
                if (r == 0 && i)
                        r = what(b, i);
        }
        return r;
}

static int forbid(Build *b, const Inhibitor *i)
{
        return i->mode == INHIBIT_BLOCK ? add_blocker(b, i) : 0;
}

/* Root is asked as well. What is gone already nobody can forbid. */
int build_ask_inhibitors(Build *b)
{
        const Verdict *v = b->verdict;

        if (b->req->ignore_inhibitors)
                return 0;
        if (v->n_blockers > 0 && v->blockers[0].kind == FAILURE_ALREADY_REMOVED)
                return 0;
        return for_each(b, forbid);
}

static int mention(Build *b, const Inhibitor *i)
{
        char label[INHIBITOR_WHO_MAX + 32];

        (void)inhibitor_label(i, label, sizeof(label));
        if (i->mode == INHIBIT_BLOCK)
                return plan_add_note(b->plan, "ignored: %s forbids it: %s", label, i->why);
        if (b->policy->delay_max_usec == 0)
                return 0;
        return plan_add_note(b->plan, "%s gets time to prepare first: %s", label, i->why);
}

int build_mention_inhibitors(Build *b)
{
        return for_each(b, mention);
}
