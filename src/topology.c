/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes the snapshot: facts about the machine, libndctl's devices, then each holder kind about each
 * node until nothing new is found. */

#include "topology.h"

#include <ctype.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/arrays.h"
#include "sys/daxctl.h"
#include "sys/doorkeeper.h"
#include "sys/hooks.h"
#include "sys/memory.h"
#include "sys/nd.h"
#include "sys/path.h"
#include "sys/probes.h"
#include "sys/proc.h"
#include "util/text.h"

/* Deeper is a mistake or a trap. */
#define DEPTH_MAX 32U
/* A device that comes or goes meanwhile makes a snapshot worthless; one that never stands still is
 * told as a failure. */
#define SCANS_MAX 3

/* What the kernel does to a filesystem when its memory goes. */
static int set_kernel(Node *h)
{
        ProbeResult pre_remove, shutdown, memory_failure;
        int r;

        probe_btf(&pre_remove, &shutdown);
        probe_memory_failure(&memory_failure);
        if (pre_remove.answer == ANSWER_YES && memory_failure.answer != ANSWER_YES)
                pre_remove = memory_failure;
        r = node_set(h, "pre-remove", answer_to_string(pre_remove.answer));
        if (r == 0)
                r = node_set(h, "pre-remove-why", pre_remove.evidence);
        if (r == 0)
                r = node_set(h, "shutdown", answer_to_string(shutdown.answer));
        return r < 0 ? r : node_set(h, "shutdown-why", shutdown.evidence);
}

static int set_arrays(Node *h)
{
        static const char *const words[] = {
                [ANSWER_YES] = "whole", [ANSWER_NO] = "degraded", [ANSWER_UNKNOWN] = "unknown"
        };
        char why[256];
        int r;

        r = node_set(h, "arrays", words[arrays_whole("/sys/class/block", why, sizeof(why))]);
        return r == 0 && *why ? node_set(h, "arrays-why", why) : r;
}

static int scan_host(Graph *g)
{
        char warn[256];
        unsigned processes;
        uint64_t available;
        Node *h;
        int r;

        r = graph_add(g, KIND_HOST, "host", &h);
        if (r == 0)
                r = set_kernel(h);
        if (r == 0)
                r = set_arrays(h);
        probe_panic_settings(warn, sizeof(warn));
        if (r == 0 && *warn)
                r = node_set(h, "warn", warn);
        if (r == 0)
                r = node_set(h, "open-gate", doorkeeper_taints() ? "taints" : "clean");
        /* Unknown is not zero: without the number no estimate would be below any budget. */
        if (r == 0)
                r = node_setf(
                        h, "processes", "%u", proc_count(&processes) == 0 ? processes : 1000000U);
        if (r == 0 && memory_available(&available) == 0)
                r = node_setf(h, "memory-available", "%" PRIu64, available);
        return r;
}

/* --- who stands on it --- */

static int unknown_holder(const HolderOps *ops, int r, Failure *f)
{
        if (f && f->kind != FAILURE_NONE)
                return r;
        return failure_set(f, FAILURE_FAILED, r, NULL,
                "could not find out what keeps the memory in use (%s): %s", ops->kind,
                strerror(-r));
}

static int discover_on(HolderScan *scan, Node *below, Failure *f)
{
        for (const HolderOps *const *h = holder_table; *h; h++) {
                int r;

                if (!(*h)->on || !strv_contains((char *const *)(*h)->on, node_kind(below)))
                        continue;
                r = (*h)->discover(scan, below, f);
                if (r < 0)
                        return unknown_holder(*h, r, f);
        }
        return 0;
}

static int discover_last(HolderScan *scan, Failure *f)
{
        for (const HolderOps *const *h = holder_table; *h; h++) {
                int r = (*h)->discover_all ? (*h)->discover_all(scan, f) : 0;

                if (r < 0)
                        return unknown_holder(*h, r, f);
        }
        return 0;
}

static int sort(Graph *g, Failure *f)
{
        const Node *n = NULL;
        int r = graph_sort(g, DEPTH_MAX, &n);

        if (r == -ELOOP)
                return failure_set(f, FAILURE_FAILED, r, node_name(n),
                        "it stands on itself by what sysfs says; nothing is done with such a "
                        "machine");
        if (r == -E2BIG)
                return failure_set(f, FAILURE_FAILED, r, node_name(n),
                        "more than %u layers are stacked here; take some down by hand", DEPTH_MAX);
        return r;
}

/* What is found joins the end of the list and is asked in its turn. */
static int discover_holders(HolderScan *scan, Failure *f)
{
        int r = 0;

        for (size_t i = 0; i < scan->graph->n_nodes && r == 0; i++)
                r = discover_on(scan, scan->graph->nodes[i], f);
        if (r == 0)
                r = discover_last(scan, f);
        return r < 0 ? r : sort(scan->graph, f);
}

/* --- one snapshot --- */

static int scan_once(TopologyDepth depth, uint64_t deadline_usec, Graph **ret, Failure *f)
{
        _cleanup_(graph_freep) Graph *g = graph_new();
        HolderScan scan = {
                .graph = g,
                .deadline_usec = deadline_usec,
                .processes = depth == TOPOLOGY_PROCESSES,
        };
        int r;

        if (!g)
                return -ENOMEM;
        r = scan_host(g);
        if (r == 0)
                r = nd_scan(g);
        if (r == 0)
                r = daxctl_scan(g);
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, NULL,
                        "could not list the persistent memory: %s", strerror(-r));
        if (depth == TOPOLOGY_PROCESSES)
                r = hooks_scan("", g);
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, NULL,
                        "could not list the hooks (hooks.d): %s", strerror(-r));
        if (depth > TOPOLOGY_DEVICES)
                r = discover_holders(&scan, f);
        mount_list_done(&scan.mounts);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(g);
        return 0;
}

static bool has_vanished(int r)
{
        return r == -ENOENT || r == -ENODEV || r == -ENXIO || r == -ESRCH;
}

int topology_scan(TopologyDepth depth, uint64_t deadline_usec, Graph **ret, Failure *f)
{
        Failure last = { 0 };
        int r = 0;

        for (unsigned i = 0; i < SCANS_MAX; i++) {
                last = (Failure){ 0 };
                r = scan_once(depth, deadline_usec, ret, &last);
                if (!has_vanished(r) || now_usec() >= deadline_usec)
                        break;
        }
        if (r < 0 && f)
                *f = last;
        return r;
}

/* --- what a name means --- */

/* Device kinds by the shape of their names; the digits are checked in full, because a malformed id
 * must never be read as "any". */
static const struct {
        const char *prefix;
        bool dotted; /* X.Y rather than X */
        const char *kind;
} shapes[] = {
        { "namespace", true, KIND_NAMESPACE },
        { "region", false, KIND_REGION },
        { "nmem", false, KIND_DIMM },
        { "ndbus", false, KIND_BUS },
};

static bool all_digits(const char *s, const char *end)
{
        if (s == end)
                return false;
        for (; s < end; s++)
                if (!isdigit((unsigned char)*s))
                        return false;
        return true;
}

static bool has_shape(const char *digits, bool dotted)
{
        const char *dot = strchr(digits, '.');

        if (!dotted)
                return all_digits(digits, digits + strlen(digits));
        return dot && all_digits(digits, dot) && all_digits(dot + 1, dot + strlen(dot));
}

static int no_such(const char *target, Failure *f)
{
        return failure_set(f, FAILURE_NO_SUCH_TARGET, -ENXIO, target,
                "no persistent memory of this name; pmemremovectl list shows what there is");
}

/* 1: not of that shape. */
static int resolve_shape(const Graph *g, const char *target, Node **ret, Failure *f)
{
        for (size_t i = 0; i < ELEMENTSOF(shapes); i++) {
                size_t n = strlen(shapes[i].prefix);

                if (strncmp(target, shapes[i].prefix, n) != 0)
                        continue;
                if (!has_shape(target + n, shapes[i].dotted))
                        return failure_set(f, FAILURE_INVALID_TARGET, -EINVAL, target,
                                "a %s is named %s%s", shapes[i].kind, shapes[i].prefix,
                                shapes[i].dotted ? "N.M" : "N");
                *ret = graph_find(g, shapes[i].kind, target);
                return *ret ? 0 : no_such(target, f);
        }
        return 1;
}

static Node *find_device(const Graph *g, const char *name)
{
        static const char *const kinds[] = { KIND_BLOCK, KIND_CHARDEV, KIND_STACKED };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                Node *n = graph_find(g, kinds[i], name);

                if (n)
                        return n;
        }
        return NULL;
}

/* Names that are an attribute of a node. The same filesystem mounted twice is one answer, two
 * filesystems of one label are not. */
static int resolve_attribute(const Graph *g, const char *kind, const char *attr, const char *value,
        const char *target, Node **ret, Failure *f)
{
        const Node *first = NULL;

        for (size_t i = 0; i < g->n_nodes; i++) {
                Node *n = g->nodes[i];
                const Node *below;

                /* What is foreign is mounted there, and yet means other storage. */
                if (!node_is(n, kind) || !node_has(n, attr, value) || node_get(n, "foreign"))
                        continue;
                below = node_below(n, KIND_NAMESPACE);
                if (first && below != first) {
                        *ret = NULL;
                        return failure_set(f, FAILURE_AMBIGUOUS_TARGET, -ENOTUNIQ, target,
                                "it means both %s and %s; name the namespace", node_name(first),
                                below ? node_name(below) : node_name(n));
                }
                if (!first)
                        *ret = n;
                first = below;
        }
        return *ret ? 0 : no_such(target, f);
}

static int resolve_sysfs(const Graph *g, const char *target, Node **ret, Failure *f)
{
        const char *base = strrchr(target, '/') + 1;

        for (size_t i = 0; i < g->n_nodes; i++) {
                const char *path = node_get(g->nodes[i], "sysfs");

                /* /sys/bus/nd/devices/region0 and /sys/block/pmem0 are links to it. */
                if (path && (streq(path, target) || streq(node_name(g->nodes[i]), base))) {
                        *ret = g->nodes[i];
                        return 0;
                }
        }
        return no_such(target, f);
}

static int resolve_mount_point(const Graph *g, const char *target, Node **ret, Failure *f)
{
        char clean[4096];
        size_t n = strlen(target);

        while (n > 1 && target[n - 1] == '/')
                n--;
        if (n >= sizeof(clean))
                return failure_set(
                        f, FAILURE_INVALID_TARGET, -ENAMETOOLONG, NULL, "this path is too long");
        (void)snprintf(clean, sizeof(clean), "%.*s", (int)n, target);
        if (resolve_attribute(g, KIND_MOUNT, "target", clean, target, ret, f) == 0)
                return 0;
        if (f && f->kind == FAILURE_NO_SUCH_TARGET)
                (void)snprintf(f->sentence, sizeof(f->sentence),
                        "nothing on persistent memory is mounted there; pmemremovectl list shows "
                        "what is");
        return f && f->err ? f->err : -ENXIO;
}

/* Also by udev's links, /dev/disk/by-uuid/... and /dev/mapper/... */
static Node *find_device_file(const Graph *g, const char *target)
{
        char real[256];

        if (strchr(target + 5, '/'))
                target = path_below_dev(target, real, sizeof(real)) < 0 ? "" : real;
        return strncmp(target, "/dev/", 5) == 0 ? find_device(g, target + 5) : NULL;
}

static int resolve_path(const Graph *g, const char *target, Node **ret, Failure *f)
{
        if (strncmp(target, "/sys/", 5) == 0)
                return resolve_sysfs(g, target, ret, f);
        if (strncmp(target, "/dev/", 5) == 0) {
                *ret = find_device_file(g, target);
                return *ret ? 0 : no_such(target, f);
        }
        return resolve_mount_point(g, target, ret, f);
}

static int check_word(const char *target, Failure *f)
{
        if (!target || !*target || strlen(target) >= 4096)
                return failure_set(f, FAILURE_INVALID_TARGET, -EINVAL, NULL,
                        "a target is a name of 1 to 4095 bytes");
        for (const char *c = target; *c; c++)
                if (iscntrl((unsigned char)*c))
                        return failure_set(f, FAILURE_INVALID_TARGET, -EINVAL, NULL,
                                "a target holds no control characters");
        if (*target != '/' && strpbrk(target, "*?["))
                return failure_set(f, FAILURE_AMBIGUOUS_TARGET, -ENOTUNIQ, target,
                        "a pattern is no target; name one device");
        return 0;
}

static int resolve_tagged(const Graph *g, const char *target, Node **ret, Failure *f)
{
        int r;

        if (strncmp(target, "UUID=", 5) == 0)
                return resolve_attribute(g, KIND_FILESYSTEM, "uuid", target + 5, target, ret, f);
        if (strncmp(target, "LABEL=", 6) == 0)
                return resolve_attribute(g, KIND_FILESYSTEM, "label", target + 6, target, ret, f);
        *ret = find_device(g, target);
        if (*ret)
                return 0;
        r = resolve_attribute(g, KIND_FILESYSTEM, "uuid", target, target, ret, f);
        if (r == 0 || r == -ENOTUNIQ)
                return r;
        if (f)
                *f = (Failure){ 0 };
        return resolve_attribute(g, KIND_FILESYSTEM, "label", target, target, ret, f);
}

int topology_resolve(const Graph *g, const char *target, Node **ret, Failure *f)
{
        int r;

        *ret = NULL;
        r = check_word(target, f);
        if (r < 0)
                return r;
        if (*target == '/')
                return resolve_path(g, target, ret, f);
        r = resolve_shape(g, target, ret, f);
        return r <= 0 ? r : resolve_tagged(g, target, ret, f);
}

/* --- the closure --- */

/* A dimm carries every region it is interleaved into, a bus all of its regions: what stands above.
 * Anything on a namespace means the namespace. */
void topology_mark_closure(Graph *g, Node *start)
{
        Node *base = start;

        for (size_t i = 0; i < g->n_nodes; i++)
                if (g->nodes[i] == (Node *)node_below(start, KIND_NAMESPACE))
                        base = g->nodes[i];
        graph_unmark(g);
        graph_mark_above(base);
}
