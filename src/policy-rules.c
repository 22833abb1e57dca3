/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is refused, and why: one function and one row per rule. All rules are asked, so that one
 * answer names every blocker at once. Unknown facts and unknown holders refuse (fail closed). */

#include "policy-build.h"

#include <inttypes.h>

#include "kinds.h"
#include "policy-overrides.h"
#include "topology.h"
#include "util/shell.h"
#include "util/system-units.h"

int build_block(Build *b, FailureKind kind, const char *node, const char *fmt, ...)
{
        Verdict *v = b->verdict;
        Failure *grown = reallocarray(v->blockers, v->n_blockers + 1, sizeof(Failure));
        char text[sizeof(grown->sentence)];
        va_list ap;

        if (!grown)
                return -ENOMEM;
        v->blockers = grown;
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        grown[v->n_blockers] = (Failure){ 0 };
        (void)failure_set(&grown[v->n_blockers++], kind, 0, node, "%s", text);
        return 0;
}

/* --- the rules; each looks at one closure node --- */

typedef int (*Rule)(Build *b, const Node *n);

/* " through filesystem loop0, stacked loop0, filesystem pmem0": what lies between a node and the
 * memory, where there is more than a filesystem and its disk. */
static const char *layers_below(const Node *top, char *buf, size_t size)
{
        const Node *n = top;
        size_t used = 0;
        bool layered = node_is(top, KIND_MOUNT);

        *buf = '\0';
        while (n && !node_is(n, KIND_NAMESPACE) && used < size) {
                const char *name = node_is(n, KIND_MOUNT) ? node_get(n, "target") : NULL;

                layered = layered || node_is(n, KIND_STACKED);
                used += (size_t)snprintf(buf + used, size - used, "%s%s %s",
                        used ? ", " : " through ", node_kind(n), name ? name : node_name(n));
                n = n->n_lower ? n->lower[0] : NULL;
        }
        return layered ? buf : "";
}

/* It never removes its own footing. */
static int rule_footing(Build *b, const Node *n)
{
        char layers[256];

        if (!node_get(n, "footing"))
                return 0;
        return build_block(b, FAILURE_PROTECTED,
                node_is(n, KIND_MOUNT) ? strna(node_get(n, "target")) : node_name(n),
                "the machine itself stands on it (%s)%s; it cannot be removed while the system "
                "runs",
                node_get(n, "footing"), layers_below(n, layers, sizeof(layers)));
}

/* A scanner that knows more than the policy: what this is, and how it would be released, nobody has
 * thought about. */
static int rule_known(Build *b, const Node *n)
{
        static const char *const kinds[] = { KIND_HOST, KIND_BUS, KIND_DIMM, KIND_REGION,
                KIND_NAMESPACE, KIND_BLOCK, KIND_CHARDEV, KIND_STACKED, KIND_FILESYSTEM, KIND_SWAP,
                KIND_MOUNT, KIND_HOLDER, KIND_LEG, KIND_MEMORY, KIND_PROCESS, KIND_UNIT, NULL };

        if (strv_contains((char *const *)kinds, node_kind(n)))
                return 0;
        return build_block(b, FAILURE_BUSY, node_name(n),
                "something of an unknown kind (%s) keeps the target in use; release it and ask "
                "again",
                node_kind(n));
}

/* Clients somewhere else lose their files: only where the policy says so. */
static int rule_export(Build *b, const Node *n)
{
        if (!node_has(n, "type", "nfsd") || b->policy->unexport_nfs)
                return 0;
        return build_block(b, FAILURE_BUSY, node_name(n),
                "%s is exported over NFS; run %s and ask again, or let UnexportNFS=yes do it",
                strna(node_get(n, "path")), strna(node_get(n, "command")));
}

/* By the driver, never by the mode's name: "fsdax" has a pfn device or none (legacy memory), and a
 * "raw" one may be mapped. Each of these drivers has a road through the pipeline. */
static int rule_driver(Build *b, const Node *ns)
{
        const char *driver = node_get(ns, "driver");

        if (!driver || streq(driver, "nd_pmem") || streq(driver, "dax_pmem"))
                return 0;
        return build_block(b, FAILURE_NOT_SUPPORTED, node_name(ns),
                "its driver is %s; only nd_pmem and dax_pmem are known, disable it by hand (ndctl "
                "disable-namespace %s)",
                driver, node_name(ns));
}

/* From 7.3 a filesystem can hold a device-dax (driver fsdev_dax), and there will be others. */
static int rule_chardev(Build *b, const Node *n)
{
        const char *driver = node_get(n, "driver");

        if (!driver || streq(driver, "device_dax") || streq(driver, "kmem"))
                return 0;
        return build_block(b, FAILURE_NOT_SUPPORTED, node_name(n),
                "its driver is %s, and what that does with the memory is not known; unbind it by "
                "hand (daxctl disable-device %s)",
                driver, node_name(n));
}

/* Whoever found it knows why it cannot be taken away, and says how a person does it. */
static int rule_blocker(Build *b, const Node *n)
{
        const char *text = node_get(n, "blocker");

        return text ? build_block(b, FAILURE_BUSY, node_name(n), "%s", text) : 0;
}

/* A holder that no step releases. */
static int rule_releasable(Build *b, const Node *n)
{
        if (node_get(n, "blocker") || build_can_release(n))
                return 0;
        return build_block(b, FAILURE_BUSY, node_name(n),
                "it keeps the target in use (%s); release it and ask again",
                strna(node_get(n, "what")));
}

/* RAM that goes itself. */
static uint64_t online_bytes(const Build *b)
{
        uint64_t bytes = 0;

        for (size_t i = 0; i < b->g->n_nodes; i++)
                if (b->g->nodes[i]->marked && node_is(b->g->nodes[i], KIND_MEMORY))
                        bytes += node_get_u64(b->g->nodes[i], "online");
        return bytes;
}

/* What lies in it has to move somewhere else: after the removal the rest must still be more than
 * nothing. MemAvailable counts the free part of this memory as well. */
static int rule_memory(Build *b, const Node *n)
{
        const Node *h = build_host(b);
        uint64_t available = h ? node_get_u64(h, "memory-available") : 0;
        uint64_t online = online_bytes(b);

        if (online < available || node_get_u64(n, "online") == 0)
                return 0;
        return build_block(b, FAILURE_BUSY, node_name(n),
                "it serves as RAM: %" PRIu64 " MiB would go, and only %" PRIu64
                " MiB of the machine's memory are available to take over what lies in it; stop "
                "something and ask again",
                online >> 20, available >> 20);
}

/* The areas of the closure count once, with the first of them. */
static bool sum_swap(const Build *b, const Node *first, uint64_t *ret_used, uint64_t *ret_free)
{
        *ret_used = *ret_free = 0;
        for (size_t i = 0; i < b->g->n_nodes; i++) {
                const Node *n = b->g->nodes[i];
                uint64_t size = node_get_u64(n, "size") / 1024;
                uint64_t used = node_get_u64(n, "used") / 1024;

                if (!n->marked || !node_is(n, KIND_SWAP))
                        continue;
                if (first && n != first)
                        return false;
                first = NULL;
                *ret_used += used;
                *ret_free += size > used ? size - used : 0;
        }
        return true;
}

/* What is on the areas has to fit into memory and the other areas, or the kernel would kill for it.
 */
static int rule_swap(Build *b, const Node *n)
{
        const Node *h = build_host(b);
        uint64_t used, lost, swap, memory, online, room;
        char word[SHELL_WORD_MAX];

        if (!sum_swap(b, n, &used, &lost) || used == 0)
                return 0;
        if (!h || !node_get(h, "memory-available"))
                return build_block(b, FAILURE_BUSY, node_name(n),
                        "memory is swapped out to it, and how much would fit elsewhere is not "
                        "known; run swapoff %s and ask again",
                        shell_word(strna(node_get(n, "path")), word, sizeof(word)));
        swap = node_get_u64(h, "swap-free") / 1024;
        memory = node_get_u64(h, "memory-available") / 1024;
        online = online_bytes(b) / 1024;
        room = (memory > online ? memory - online : 0) + (swap > lost ? swap - lost : 0);
        if (room >= SWAP_ROOM_KIB(used))
                return 0;
        return build_block(b, FAILURE_BUSY, node_name(n),
                "%" PRIu64 " MiB of memory are swapped out to it, and of memory and other swap "
                "only %" PRIu64 " MiB are free; free some or add swap elsewhere and ask again",
                used / 1024, room / 1024);
}

/* "812 (db), 977 (shell)" */
static const char *users_of(const Node *fs, char *buf, size_t size)
{
        size_t used = 0;

        (void)snprintf(buf, size, "something that no process shows");
        for (size_t i = 0; i < fs->n_upper && used < size; i++)
                if (node_is(fs->upper[i], KIND_PROCESS))
                        used += (size_t)snprintf(buf + used, size - used, "%s%s (%s)",
                                used ? ", " : "", node_name(fs->upper[i]),
                                strna(node_get(fs->upper[i], "comm")));
        return buf;
}

/* A filesystem that stays is mounted on one that goes: its users have nothing to do with this. */
static int rule_mount(Build *b, const Node *n)
{
        const Node *fs = build_filesystem(n);
        char names[256];

        if (!fs || fs->marked || !node_has(n, "busy", "yes"))
                return 0;
        return build_block(b, FAILURE_BUSY, strna(node_get(n, "target")),
                "the filesystem mounted there stays and is in use by %s; stop them, unmount it and "
                "ask again",
                users_of(fs, names, sizeof(names)));
}

static bool is_needed_leg(const Node *n, const char *array)
{
        return n->marked && node_is(n, KIND_LEG) && node_has(n, "array", array) &&
               node_has(n, "role", "in_sync");
}

/* Each leg alone could go, but not so many of one array. Said once per array. */
static int rule_redundancy(Build *b, const Node *n)
{
        const char *array = strempty(node_get(n, "array"));
        unsigned count = 0;

        for (size_t i = 0; i < b->g->n_nodes; i++) {
                if (!is_needed_leg(b->g->nodes[i], array))
                        continue;
                if (count++ == 0 && b->g->nodes[i] != n)
                        return 0;
        }
        if (count <= node_get_u64(n, "can-lose") || node_get(n, "blocker"))
                return 0;
        return build_block(b, FAILURE_BUSY, array,
                "%u of its legs would go and it can lose %s; stop it (mdadm --stop /dev/%s), or "
                "move it to other disks, and ask again",
                count, strna(node_get(n, "can-lose")), array);
}

/* The pid ends up in every message; the command tells a person which one it is. */
static const char *process_label(const Node *n, char *buf, size_t size)
{
        (void)snprintf(buf, size, "%s (%s)", node_name(n), strna(node_get(n, "comm")));
        return buf;
}

/* udev's workers open a device node for a moment after every event. That keeps no filesystem and no
 * claim alive, and they are neither a reason to refuse nor to be signalled. */
bool build_is_passer_by(const Node *process)
{
        return node_has(process, "uses", "node") && unit_is_system(node_get(process, "unit"));
}

/* Unlike a filesystem's, pages of device-dax can be pinned for good (RDMA, vfio, io_uring's fixed
 * buffers). From 5.18 on the unbind does not wait for pins, and the machine oopses when they are
 * dropped, be it by the end of the process (kernel-facts 2.6). */
static bool pins_device(const Node *process)
{
        for (size_t i = 0; node_get(process, "pins") && i < process->n_lower; i++)
                if (node_is(process->lower[i], KIND_CHARDEV))
                        return true;
        return false;
}

static int rule_process(Build *b, const Node *n)
{
        const char *unit = node_get(n, "unit"), *comm = strempty(node_get(n, "comm"));
        char label[64];

        (void)process_label(n, label, sizeof(label));
        if (node_has(n, "kernel", "yes"))
                return build_block(b, FAILURE_BUSY, label,
                        "a kernel thread uses it (%s) and cannot be signalled; release what it "
                        "serves",
                        strna(node_get(n, "example")));
        if (build_is_passer_by(n))
                return 0;
        if (pins_device(n))
                return build_block(b, FAILURE_BUSY, label,
                        "it has memory pinned for a device or the kernel (%s); the kernel does not "
                        "wait for that and the machine would crash when it is let go. Stop it and "
                        "ask again",
                        node_get(n, "pins"));
        if (streq(node_name(n), "1") || unit_is_rescue(unit))
                return build_block(b, FAILURE_PROTECTED, label,
                        "the system itself (%s) uses it: %s", strna(unit),
                        strna(node_get(n, "example")));
        if (overrides_have(b->req->overrides, OVERRIDE_PROTECTED))
                return 0;
        if (unit && strv_fnmatch(b->policy->protect_unit, unit))
                return build_block(b, FAILURE_PROTECTED, label,
                        "ProtectUnit= protects its unit %s; stop it and ask again", unit);
        if (strv_fnmatch(b->policy->protect_process, comm))
                return build_block(b, FAILURE_PROTECTED, label,
                        "ProtectProcess= protects it; stop it and ask again");
        return 0;
}

static const struct {
        const char *kind; /* NULL: every node */
        Rule rule;
} rules[] = {
        { NULL, rule_known },
        { KIND_NAMESPACE, rule_driver },
        { KIND_CHARDEV, rule_chardev },
        { KIND_MEMORY, rule_memory },
        { KIND_SWAP, rule_swap },
        { KIND_MOUNT, rule_mount },
        { KIND_STACKED, rule_releasable },
        { KIND_LEG, rule_releasable },
        { KIND_LEG, rule_redundancy },
        { KIND_HOLDER, rule_releasable },
        { KIND_HOLDER, rule_export },
        { KIND_PROCESS, rule_process },
        { KIND_UNIT, build_rule_unit },
        { NULL, rule_blocker },
};

/* The first answer is the one that a caller's error is named after: what no command releases comes
 * before what one would. */
static int ask_rules(Build *b)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++)
                e = b->g->nodes[i]->marked ? rule_footing(b, b->g->nodes[i]) : 0;
        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++)
                for (size_t k = 0; k < ELEMENTSOF(rules) && e == 0; k++)
                        if (b->g->nodes[i]->marked &&
                                (!rules[k].kind || node_is(b->g->nodes[i], rules[k].kind)))
                                e = rules[k].rule(b, b->g->nodes[i]);
        return e;
}

/* --- rules about the whole request --- */

static int rule_removed(Build *b)
{
        for (size_t i = 0; i < b->g->n_nodes; i++)
                if (b->g->nodes[i]->marked && node_is(b->g->nodes[i], KIND_NAMESPACE) &&
                        build_is_bound(b->g->nodes[i]))
                        return 0;
        for (size_t i = 0; i < b->g->n_nodes; i++)
                if (b->g->nodes[i]->marked && node_is(b->g->nodes[i], KIND_REGION) &&
                        node_get(b->g->nodes[i], "driver") && b->target != b->g->nodes[i] &&
                        (node_is(b->target, KIND_DIMM) || node_is(b->target, KIND_BUS)))
                        return 0;
        if (node_is(b->target, KIND_REGION) && node_get(b->target, "driver"))
                return 0;
        return build_block(b, FAILURE_ALREADY_REMOVED, node_name(b->target),
                "no driver is bound to it any more; there is nothing to do");
}

static int rule_forced(Build *b)
{
        const Node *node = NULL;
        const char *no;

        if (b->mode != MODE_FORCED)
                return 0;
        no = policy_forced_refused(b, &node);
        if (!no)
                return 0;
        return build_block(b, FAILURE_NOT_SUPPORTED, node_name(node),
                "forced removal is refused: %s; stop the applications and use mode=graceful, or "
                "mode=auto, which kills them and unmounts",
                no);
}

static int rule_eject(Build *b)
{
        return b->req->eject
                       ? build_block(b, FAILURE_NOT_SUPPORTED, node_name(b->target),
                                 "this version cannot eject a device; remove it without eject and "
                                 "power the slot off by the platform's means")
                       : 0;
}

static int ask_request_rules(Build *b)
{
        static int (*const request_rules[])(
                Build *) = { rule_removed, rule_forced, rule_eject, build_trust_hooks };
        int e = 0;

        for (size_t i = 0; i < ELEMENTSOF(request_rules) && e == 0; i++)
                e = request_rules[i](b);
        return e;
}

/* Somebody reviewed a plan: if the world has moved since, what he saw is not what would be done. */
static int check_plan_id(Build *b)
{
        if (!b->req->plan_id || streq(b->req->plan_id, b->plan->id))
                return 0;
        return build_block(b, FAILURE_PLAN_CHANGED, node_name(b->target),
                "a process, a mount or the policy has changed since the plan %.12s was shown (it "
                "is "
                "%.12s now); look at the new plan and ask again",
                b->req->plan_id, b->plan->id);
}

/* --- which policy --- */

static bool key_matches(const Graph *g, char *const *globs, const char *kind, const char *attr)
{
        if (!globs)
                return true;
        for (size_t i = 0; i < g->n_nodes; i++) {
                const Node *n = g->nodes[i];
                const char *value = attr ? node_get(n, attr) : node_name(n);

                if (n->marked && node_is(n, kind) && value && strv_fnmatch(globs, value))
                        return true;
        }
        return false;
}

/* A bus is below the closure of a namespace, so it is looked for from there. */
static bool bus_matches(const Graph *g, char *const *globs)
{
        if (!globs)
                return true;
        for (size_t i = 0; i < g->n_nodes; i++) {
                const Node *bus = g->nodes[i]->marked ? node_below(g->nodes[i], KIND_BUS) : NULL;

                if (bus && node_get(bus, "provider") &&
                        strv_fnmatch(globs, node_get(bus, "provider")))
                        return true;
        }
        return false;
}

static bool region_matches(const Graph *g, char *const *globs)
{
        if (!globs)
                return true;
        for (size_t i = 0; i < g->n_nodes; i++) {
                const Node *n = g->nodes[i]->marked ? node_below(g->nodes[i], KIND_REGION) : NULL;

                if (n && strv_fnmatch(globs, node_name(n)))
                        return true;
        }
        return false;
}

static const Policy *match_policy(const Config *c, const Graph *g)
{
        for (size_t i = 1; i < c->n_policies; i++) {
                const Policy *p = c->policies[i];

                if (key_matches(g, p->match_namespace, KIND_NAMESPACE, NULL) &&
                        key_matches(g, p->match_mount, KIND_MOUNT, "target") &&
                        key_matches(g, p->match_uuid, KIND_FILESYSTEM, "uuid") &&
                        key_matches(g, p->match_label, KIND_FILESYSTEM, "label") &&
                        region_matches(g, p->match_region) && bus_matches(g, p->match_bus))
                        return p;
        }
        return c->policies[0];
}

/* --- the decision --- */

static int decide(Build *b)
{
        Verdict *v = b->verdict;
        int e;

        e = ask_request_rules(b);
        if (e == 0)
                e = build_ask_inhibitors(b);
        if (e == 0)
                e = ask_rules(b);
        if (e == 0)
                e = build_limits(b);
        v->estimate_usec = build_estimate_usec(b);
        if (e == 0)
                e = free_and_strdup(&v->mode, mode_to_string(b->mode));
        if (e == 0)
                e = build_closure_names(b, &v->closure);
        if (e < 0 || v->n_blockers > 0)
                return e;
        b->plan = v->plan = plan_new();
        e = b->plan ? build_plan(b) : -ENOMEM;
        if (e == 0)
                e = check_plan_id(b);
        if (e == 0 && v->n_blockers > 0)
                v->plan = plan_free(v->plan);
        return e;
}

int policy_decide(const Config *c, Graph *g, const Request *req, Verdict **ret, Failure *f)
{
        _cleanup_(verdict_freep) Verdict *v = calloc(1, sizeof(*v));
        Build b = { .config = c, .req = req, .g = g, .verdict = v };
        Node *target;
        int e;

        if (!v)
                return -ENOMEM;
        e = overrides_check(req->overrides, f);
        if (e == 0)
                e = topology_resolve(g, req->target, &target, f);
        if (e < 0)
                return e;
        topology_mark_closure(g, target);
        b.target = target;
        b.policy = match_policy(c, g);
        b.mode = req->mode >= 0 ? req->mode : b.policy->mode;
        e = decide(&b);
        if (e < 0)
                return e;
        *ret = TAKE_PTR(v);
        return 0;
}
