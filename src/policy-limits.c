/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* [Budget]: what the machine as a whole can do without. Counted in the snapshot and nowhere else:
 * so it is true after a restart of the daemon, and for what somebody took out by other means. */

#include "policy-build.h"

#include <inttypes.h>

#include "kinds.h"
#include "policy-overrides.h"

typedef struct Count {
        uint64_t out; /* of use, or on the way */
        uint64_t more;
        char names[256]; /* the first of those that are out */
        size_t used;
} Count;

static void count_out(Count *c, const Node *n)
{
        c->out++;
        if (c->used < sizeof(c->names))
                c->used += (size_t)snprintf(c->names + c->used, sizeof(c->names) - c->used, "%s%s",
                        c->used ? ", " : "", node_name(n));
}

/* The snapshot has no namespaces of size 0: what the kernel keeps ready for the next one is no
 * device. Nor has it those of a disabled region, so that one counts as a whole. */
static void count(const Graph *g, Count *c)
{
        for (size_t i = 0; i < g->n_nodes; i++) {
                const Node *n = g->nodes[i];

                if (node_is(n, KIND_REGION) && !node_get(n, "driver"))
                        count_out(c, n);
                if (!node_is(n, KIND_NAMESPACE))
                        continue;
                if (!node_get(n, "driver") || node_get(n, "removal"))
                        count_out(c, n);
                else if (n->marked)
                        c->more++;
        }
}

int limits_check_removed(const Config *c, const Graph *g, const Request *req, Failure *f)
{
        uint64_t max = c->policies[0]->max_removed;
        Count now = { 0 };

        if (max == 0 || overrides_have(req->overrides, OVERRIDE_BUDGET))
                return 0;
        count(g, &now);
        /* What is out already can be taken further out. */
        if (now.more == 0 || now.out + now.more <= max)
                return 0;
        return failure_set(f, FAILURE_LIMIT_EXCEEDED, -ENOBUFS, req->target,
                "MaxRemoved=%" PRIu64 " devices may be out of use at a time; %" PRIu64
                " out already%s%s%s, and this takes %" PRIu64 " more. %s, or override the check %s",
                max, now.out, now.out ? " (" : "", now.names, now.out ? ")" : "", now.more,
                now.out ? "Bring some back (ndctl enable-namespace)" : "Take fewer at a time",
                override_info(OVERRIDE_BUDGET)->name);
}

static int check_degraded(const Config *c, const Graph *g, const Request *req, Failure *f)
{
        const Node *host = graph_find(g, KIND_HOST, KIND_HOST);
        const char *arrays = host ? node_get(host, "arrays") : NULL;
        const char *why = arrays ? node_get(host, "arrays-why") : NULL;

        if (c->policies[0]->while_degraded || (arrays && streq(arrays, "whole")) ||
                overrides_have(req->overrides, OVERRIDE_DEGRADED))
                return 0;
        return failure_set(f, FAILURE_LIMIT_EXCEEDED, -ENOBUFS, req->target,
                "%s, and WhileDegraded=no allows no removal meanwhile. Wait until it is whole "
                "again (cat /proc/mdstat), or override the check %s",
                why ? why : "whether an md array lacks a disk is not known",
                override_info(OVERRIDE_DEGRADED)->name);
}

int build_limits(Build *b)
{
        static int (*const checks[])(const Config *c, const Graph *g, const Request *req,
                Failure *f) = { limits_check_removed, check_degraded };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(checks) && r == 0; i++) {
                Failure f = { 0 };

                if (checks[i](b->config, b->g, b->req, &f) < 0)
                        r = build_block(b, f.kind, node_name(b->target), "%s", f.sentence);
        }
        return r;
}
