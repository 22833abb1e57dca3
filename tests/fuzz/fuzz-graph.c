/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A topology as text: read, walked, sorted and printed; what is printed reads back as itself. */

#include "fuzz.h"
#include "util/graph.h"

static void walk(Graph *g)
{
        for (size_t i = 0; i < g->n_nodes; i++) {
                Node *n = g->nodes[i];

                fuzz_assert(graph_find(g, node_kind(n), node_name(n)) == n);
                fuzz_assert(!node_get(n, "on"));
                graph_mark_above(n);
                for (size_t k = 0; k < n->n_upper; k++)
                        fuzz_assert(n->upper[k]->marked);
                (void)node_below(n, "namespace");
                (void)node_below_with(n, "dev", "259:0");
                if (i > 50)
                        break;
        }
        graph_unmark(g);
        for (size_t i = 0; i < g->n_nodes; i++)
                fuzz_assert(!g->nodes[i]->marked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size), *printed = NULL, *again = NULL;
        _cleanup_(graph_freep) Graph *g = NULL, *copy = NULL;
        const Node *culprit = NULL;
        unsigned line = 0;

        if (graph_parse(text, &g, &line) < 0) {
                fuzz_assert(line > 0);
                return 0;
        }
        walk(g);
        if (graph_print(g, &printed) < 0) /* with on= it became longer than a line may be */
                return 0;
        fuzz_assert_lines(printed);
        fuzz_assert(graph_parse(printed, &copy, &line) == 0);
        fuzz_assert(graph_print(copy, &again) == 0 && streq(printed, again));
        /* In this order already, so that sorting changes nothing. */
        if (graph_sort(copy, 64, &culprit) == 0) {
                freep(&again);
                again = NULL;
                fuzz_assert(graph_print(copy, &again) == 0 && streq(printed, again));
        } else {
                fuzz_assert(culprit);
        }
        return 0;
}
