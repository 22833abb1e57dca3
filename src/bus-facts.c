/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a person who is asked by polkit gets to see of a removal, and what its rules can look up:
 * taken from the plan that would be carried out, never from the words of whoever asks. */

#include <inttypes.h>

#include "bus-calls.h"
#include "kinds.h"
#include "util/text.h"
#include "util/utf8.h"

/* It has to fit a dialog; what is left out is counted. */
#define NAMES_MAX 16

/* Names of mount points may hold anything, also a line that looks like another question. */
static int set_text(char **member, const char *text)
{
        size_t size = 4 * strlen(text) + 1;
        char *printable = malloc(size);

        if (!printable)
                return -ENOMEM;
        (void)utf8_printable(text, printable, size);
        free(*member);
        *member = printable;
        return 0;
}

/* The first of them, and how many more. This runs in the daemon, and anybody can have a hundred
 * thousand: no list of all of them, and nothing is compared with all. */
typedef struct Names {
        char **first;
        size_t more;
} Names;

static int find_mounts(const Graph *g, Names *names)
{
        size_t n_first = 0;
        int r = 0;

        for (size_t i = 0; i < g->n_nodes && r == 0; i++) {
                const Node *n = g->nodes[i];
                const char *target = node_get(n, "target");

                /* Each mount namespace has its copy. */
                if (!n->marked || !node_is(n, KIND_MOUNT) || !target ||
                        strv_contains(names->first, target))
                        continue;
                if (n_first == NAMES_MAX)
                        names->more++;
                else {
                        r = strv_append(&names->first, target);
                        n_first++;
                }
        }
        return r;
}

static int set_names(char **member, char *const *names, size_t more)
{
        _cleanup_(freep) char *text = NULL;
        size_t n = strv_length(names), size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < n && i < NAMES_MAX; i++)
                (void)fprintf(f, "%s%s", i > 0 ? " " : "", names[i]);
        if (n > NAMES_MAX)
                more += n - NAMES_MAX;
        if (more > 0)
                (void)fprintf(f, " and %zu more", more);
        if (n == 0)
                (void)fprintf(f, "none");
        return memstream_close(f, &text) < 0 ? -ENOMEM : set_text(member, text);
}

static int set_mounts(char **member, const Graph *g)
{
        Names names = { 0 };
        int r = find_mounts(g, &names);

        if (r == 0)
                r = set_names(member, names.first, names.more);
        strv_free(names.first);
        return r;
}

static int set_roads(char **member, const Plan *p)
{
        _cleanup_(strv_freep) char **roads = NULL;
        int r = 0;

        for (size_t i = 0; i < p->n_roads && r == 0; i++)
                r = strv_append(&roads, strna(p->roads[i]->name));
        return r < 0 ? r : set_names(member, roads, 0);
}

int bus_needs_from_plan(BusNeeds *needs, const Request *req, const Verdict *v, const Graph *g)
{
        _cleanup_(strv_freep) char **devices = NULL;
        char processes[24];
        int r;

        (void)snprintf(processes, sizeof(processes), "%zu", v->plan->n_processes);
        r = set_text(&needs->target, req->target);
        if (r == 0)
                r = set_text(&needs->mode, strempty(v->mode));
        if (r == 0)
                r = set_roads(&needs->road, v->plan);
        if (r == 0)
                r = strv_split(strempty(v->closure), &devices);
        if (r == 0)
                r = set_names(&needs->devices, devices, 0);
        if (r == 0)
                r = set_mounts(&needs->mounts, g);
        return r < 0 ? r : set_text(&needs->processes, processes);
}
