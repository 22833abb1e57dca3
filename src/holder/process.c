/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processes that use a filesystem or a device node on persistent memory. One node per process, also
 * when it holds several things. */

#include <inttypes.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/cgroup.h"
#include "sys/proc-pins.h"
#include "sys/proc.h"
#include "sys/units.h"

typedef struct DevSet {
        dev_t *items;
        size_t n;
} DevSet;

static void dev_set_done(DevSet *s)
{
        free(s->items);
}

static int dev_set_add(DevSet *s, const char *devnum)
{
        dev_t dev, *grown;

        if (!devnum || parse_devnum(devnum, &dev) < 0)
                return 0;
        for (size_t i = 0; i < s->n; i++)
                if (s->items[i] == dev)
                        return 0;
        grown = reallocarray(s->items, s->n + 1, sizeof(dev_t));
        if (!grown)
                return -ENOMEM;
        s->items = grown;
        s->items[s->n++] = dev;
        return 0;
}

static int collect(const Graph *g, DevSet *filesystems, DevSet *nodes)
{
        int r = 0;

        for (size_t i = 0; i < g->n_nodes && r == 0; i++) {
                const Node *n = g->nodes[i];

                /* Users of a filesystem that is none of ours (holder/nested.c) stay unknown. */
                if ((node_is(n, KIND_MOUNT) && !node_get(n, "foreign")) ||
                        node_is(n, KIND_FILESYSTEM))
                        r = dev_set_add(filesystems, node_get(n, "dev"));
                if (node_is(n, KIND_BLOCK) || node_is(n, KIND_STACKED) || node_is(n, KIND_CHARDEV))
                        r = dev_set_add(nodes, node_get(n, "dev"));
        }
        return r;
}

/* What a process that uses this device number stands on. A filesystem has the number of its block
 * device, so the way of use decides. */
static Node *stands_on(const Graph *g, const ProcHolder *p)
{
        static const char *const files[] = { KIND_FILESYSTEM, KIND_MOUNT, NULL };
        static const char *const nodes[] = { KIND_BLOCK, KIND_STACKED, KIND_CHARDEV, NULL };
        const char *const *kinds = p->uses & ~(unsigned)PROC_USE_NODE ? files : nodes;
        char devnum[DEVNUM_MAX];

        (void)format_devnum(devnum, p->dev);
        for (; *kinds; kinds++)
                for (size_t i = 0; i < g->n_nodes; i++)
                        if (node_is(g->nodes[i], *kinds) && node_has(g->nodes[i], "dev", devnum) &&
                                !node_get(g->nodes[i], "foreign"))
                                return g->nodes[i];
        return NULL;
}

static int set_uses(Node *n, unsigned uses)
{
        char text[PROC_USES_MAX];
        const char *known = node_get(n, "uses");

        return node_set(
                n, "uses", proc_uses_format(uses | (known ? proc_uses_parse(known) : 0), text));
}

static int set_word(Node *n, const char *key, const char *value)
{
        return *value ? node_set(n, key, value) : 0;
}

/* Only asked about those that hold something, which are few. One that exits meanwhile has none. */
static int add_cgroup(Node *n, pid_t pid)
{
        Cgroup g;
        int r;

        if (cgroup_of_pid(pid, &g) < 0)
                return 0;
        r = set_word(n, "slice", g.slice);
        if (r == 0)
                r = set_word(n, "container", g.container);
        return r == 0 && g.frozen ? node_set(n, "frozen", "yes") : r;
}

/* Below a character device is nothing that waits for who does I/O to the memory. */
static int add_pins(Node *n, const Node *below, pid_t pid)
{
        char pins[PROC_PINS_MAX];

        if (!node_is(below, KIND_CHARDEV) || proc_pins(pid, pins) < 0)
                return 0;
        return set_word(n, "pins", pins);
}

static int add_node(Graph *g, const ProcHolder *p, const char *pid, Node **ret)
{
        char unit[256], session[128];
        int r;

        r = graph_add(g, KIND_PROCESS, pid, ret);
        if (r == 0)
                r = node_setf(*ret, "start", "%" PRIu64, p->start);
        if (r == 0)
                r = node_set(*ret, "comm", p->comm);
        if (r == 0 && unit_of_pid(p->pid, unit, sizeof(unit)) == 0)
                r = node_set(*ret, "unit", unit);
        if (r == 0 && session_of_pid(p->pid, session, sizeof(session)) == 0)
                r = node_set(*ret, "session", session);
        if (r == 0)
                r = add_cgroup(*ret, p->pid);
        if (r == 0)
                r = node_set(*ret, "example", p->example);
        if (r == 0 && p->kernel_thread)
                r = node_set(*ret, "kernel", "yes");
        return r;
}

static int add_process(Graph *g, const ProcHolder *p)
{
        Node *below = stands_on(g, p), *n;
        char pid[16];
        int r = 0;

        if (!below)
                return 0;
        (void)snprintf(pid, sizeof(pid), "%d", p->pid);
        n = graph_find(g, KIND_PROCESS, pid);
        if (!n)
                r = add_node(g, p, pid, &n);
        if (r == 0)
                r = graph_link(n, below);
        if (r == 0)
                r = add_pins(n, below, p->pid);
        return r < 0 ? r : set_uses(n, p->uses);
}

static int process_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(dev_set_done) DevSet filesystems = { 0 }, nodes = { 0 };
        _cleanup_(proc_list_done) ProcList l = { 0 };
        int r;

        if (!scan->processes)
                return 0;
        r = collect(scan->graph, &filesystems, &nodes);
        if (r < 0 || filesystems.n + nodes.n == 0)
                return r;
        r = proc_find_holders(
                filesystems.items, filesystems.n, nodes.items, nodes.n, scan->deadline_usec, &l);
        if (r == -ETIMEDOUT && l.stuck > 0)
                return failure_set(f, FAILURE_FAILED, r, NULL,
                        "could not find out who uses the memory: process %d blocks whoever looks "
                        "at it; end it and ask again",
                        l.stuck);
        for (size_t i = 0; i < l.n && r == 0; i++)
                r = add_process(scan->graph, &l.items[i]);
        return r;
}

const HolderOps holder_process = {
        .kind = KIND_PROCESS,
        .discover_all = process_discover,
};
