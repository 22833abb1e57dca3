/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list: the machine's persistent memory as a tree, from the bus up to the processes. */

#include "ctl.h"
#include "kinds.h"

static const Column columns[] = {
        { "NAME", COLUMN_TREE },
        { "KIND", 0 },
        { "SIZE", COLUMN_RIGHT | COLUMN_NUMBER },
        { "MODE", 0 },
        { "STATE", 0 },
        { "DETAIL", 0 },
};

/* Only devices come and go, and what stands on them may block that; without a driver they are there
 * and idle. Whether there is one only the topology knows, which is where "sysfs" comes from. */
static const char *node_state(const Node *n)
{
        const char *removal = node_get(n, "removal");

        if (!node_get(n, "can-remove"))
                return node_get(n, "blocker") ? "blocks" : NULL;
        if (removal && !streq(removal, "/"))
                return "removing";
        if (node_has(n, "can-remove", "removed"))
                return "removed";
        if (!node_is(n, KIND_REGION) && !node_is(n, KIND_NAMESPACE))
                return "active";
        if (node_get(n, "driver"))
                return "active";
        return node_get(n, "sysfs") ? "disabled" : NULL;
}

static int node_add_line(const Ctl *c, Table *t, TableLine *parent, const Node *n, TableLine **ret)
{
        _cleanup_(freep) char *title = node_title(n), *detail = NULL;
        const char *bytes = node_get(n, "size");
        char size[32];
        int r;

        r = node_detail(n, false, &detail);
        if (r < 0 || !title)
                return -ENOMEM;
        *ret = table_add(t, parent,
                (const char *const[]){
                        title,
                        node_kind(n),
                        c->json || !bytes ? bytes : format_size(size, bytes),
                        node_get(n, "mode"),
                        node_state(n),
                        detail,
                });
        return *ret ? 0 : -ENOMEM;
}

/* A region stands on its bus and on each of its dimms; it is shown below the bus. Whatever else
 * stands on two nodes is shown below both, what stands on it only once: nothing grows beyond
 * the number of links. */
static int tree_add(const Ctl *c, Table *t, TableLine *parent, Node *n)
{
        bool again = n->marked;
        TableLine *line;
        int r;

        r = node_add_line(c, t, parent, n, &line);
        if (r < 0)
                return r;
        n->marked = true;
        for (size_t i = 0; !again && i < n->n_upper; i++) {
                if (node_is(n, KIND_DIMM) && node_is(n->upper[i], KIND_REGION) &&
                        node_below(n->upper[i], KIND_BUS))
                        continue;
                r = tree_add(c, t, line, n->upper[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int list_print(Ctl *c, Graph *g)
{
        _cleanup_(table_freep) Table *t = table_new(c, "devices", columns, ELEMENTSOF(columns));
        int r;

        if (!t)
                return -ENOMEM;
        graph_unmark(g);
        for (size_t i = 0; i < g->n_nodes; i++) {
                if (g->nodes[i]->n_lower > 0 || node_is(g->nodes[i], KIND_HOST))
                        continue;
                r = tree_add(c, t, NULL, g->nodes[i]);
                if (r < 0)
                        return r;
        }
        return table_print(t, c);
}

int verb_list(Ctl *c, int argc, char **argv)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        int r, status;

        status = devices_graph(c, &g);
        if (!g)
                return status;
        if (g->n_nodes == 0 && !c->json) {
                if (!c->no_legend)
                        puts("No persistent memory.");
                return status;
        }
        pager_open(c);
        r = list_print(c, g);
        return r < 0 ? ctl_fail(c, "device list", NULL, r) : status;
}
