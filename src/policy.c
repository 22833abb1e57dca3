/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Policy decides. THE PIPELINE below is the product: which steps there are, in which order, on
 * which road each takes part and what it expands over. Order is safety, not taste, so configuration
 * can set deadlines but never reorder rows. The table is also the registry by which a ledger's
 * steps are found again.
 *
 * head    runs first, on every road
 * body    once per rung of the plan, with the rows of that rung's road
 * group   part of a forced body that is gone through namespace by namespace: only one filesystem is
 *         ever frozen at a time, because a task stuck in the frozen one can sit inside the kernel's
 *         single SRCU domain for all DAX devices and block every unbind (kernel-facts 2.2)
 * tail    runs last, on every road
 */

#include "policy-build.h"

#include <inttypes.h>
#include <signal.h>

#include "kinds.h"

/* A superblock is made read-only when what is dirty is on its storage. */
#define READONLY_TIMEOUT_USEC (60 * USEC_PER_SEC)

typedef enum Part { PART_HEAD, PART_BODY, PART_GROUP, PART_TAIL } Part;

typedef struct Row {
        const StepOps *ops; /* NULL: what expands knows (policy-release.c) */
        Part part;
        unsigned roads; /* Road bits */
        int (*expand)(Build *b, const StepOps *ops);
} Row;

static int once(Build *b, const StepOps *ops);
static int for_announce(Build *b, const StepOps *ops);
static int for_open_gate(Build *b, const StepOps *ops);
static int for_writable(Build *b, const StepOps *ops);
static int for_hold(Build *b, const StepOps *ops);
static int for_frozen_mounts(Build *b, const StepOps *ops);
static int for_disks(Build *b, const StepOps *ops);
static int for_unmounted_disks(Build *b, const StepOps *ops);
static int for_filesystems(Build *b, const StepOps *ops);
static int for_commit(Build *b, const StepOps *ops);
static int for_namespaces(Build *b, const StepOps *ops);
static int for_regions(Build *b, const StepOps *ops);
static int for_disabled_regions(Build *b, const StepOps *ops);
static int for_verify(Build *b, const StepOps *ops);

/* clang-format off */
static const Row pipeline[] = {
        { &step_query,    PART_HEAD,  ROAD_ANY,                  build_hooks          },
        { &step_announce, PART_HEAD,  ROAD_ANY,                  for_announce         },
        { &step_gate,     PART_HEAD,  ROAD_ANY,                  build_mount_units    },
        { &step_prepare,  PART_HEAD,  ROAD_ANY,                  build_hooks          },
        { &step_stop_units, PART_HEAD, ROAD_ANY,                 build_stop_units     },
        { &step_opengate, PART_HEAD,  ROAD_ANY,                  for_open_gate        },
        { &step_signal,   PART_HEAD,  ROAD_ANY,                  build_signals        },
        { &step_kill,     PART_BODY,  ROAD_KILL,                 build_kill           },
        { &step_readonly, PART_BODY,  ROAD_GRACEFUL | ROAD_KILL, for_writable         },
        { NULL,           PART_BODY,  ROAD_ANY,                  build_releases       },
        { &step_automount, PART_BODY, ROAD_GRACEFUL | ROAD_KILL, build_automounts     },
        { &step_claim,    PART_BODY,  ROAD_GRACEFUL | ROAD_KILL, for_disks            },
        { &step_claim,    PART_BODY,  ROAD_FORCED,               for_unmounted_disks  },
        { &step_confirm,  PART_BODY,  ROAD_ANY,                  for_hold             },
        { &step_vacate,   PART_BODY,  ROAD_GRACEFUL | ROAD_KILL, build_vacates        },
        { &step_unbind,   PART_BODY,  ROAD_GRACEFUL | ROAD_KILL, for_namespaces       },
        { &step_freeze,   PART_GROUP, ROAD_FORCED,               for_filesystems      },
        { &step_commit,   PART_GROUP, ROAD_FORCED,               for_commit           },
        { &step_unbind,   PART_GROUP, ROAD_FORCED,               for_namespaces       },
        { &step_settle,   PART_GROUP, ROAD_FORCED,               build_settle         },
        { &step_detach,   PART_GROUP, ROAD_FORCED,               for_frozen_mounts    },
        { &step_automount, PART_GROUP, ROAD_FORCED,              build_automounts     },
        { &step_flush,    PART_TAIL,  ROAD_ANY,                  for_regions          },
        { &step_region,   PART_TAIL,  ROAD_ANY,                  for_disabled_regions },
        { &step_ungate,   PART_TAIL,  ROAD_ANY,                  build_ungates        },
        { &step_keepoff,  PART_TAIL,  ROAD_ANY,                  build_keepoffs       },
        { &step_verify,   PART_TAIL,  ROAD_ANY,                  for_verify           },
        { &step_done,     PART_TAIL,  ROAD_ANY,                  build_hooks          },
};
/* clang-format on */

const StepOps *policy_find_step(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(pipeline); i++)
                if (pipeline[i].ops && streq(pipeline[i].ops->name, name))
                        return pipeline[i].ops;
        return build_find_release(name);
}

/* --- adding one step --- */

Record *build_new_step(const Build *b, const StepOps *ops, const char *node)
{
        _cleanup_(record_freep) Record *r = record_new("step", node);

        if (!r || record_set(r, "op", ops->name) < 0)
                return NULL;
        if (b->rung > 0 && record_setf(r, "rung", "%u", b->rung) < 0)
                return NULL;
        return TAKE_PTR(r);
}

int build_set_usec(Record *r, const char *key, uint64_t usec)
{
        return record_setf(r, key, "%" PRIu64, usec);
}

int build_copy_keys(Record *r, const Node *n, const char *const keys[])
{
        int e = 0;

        for (; *keys && e == 0; keys++)
                e = record_set(r, *keys, node_get(n, *keys));
        return e;
}

int build_add_step(Build *b, const StepOps *ops, Record **args, int e)
{
        if (e == 0)
                e = plan_add_step(b->plan, ops, b->rung, *args);
        if (e == 0)
                (void)TAKE_PTR(*args);
        return e;
}

/* Closure nodes of a kind, of the current group's namespace if there is one. */
bool build_takes(const Build *b, const Node *n, const char *kind)
{
        if (!n->marked || !node_is(n, kind))
                return false;
        return !b->group || node_below(n, KIND_NAMESPACE) == b->group;
}

bool build_is_bound(const Node *ns)
{
        return node_get(ns, "driver");
}

bool build_is_mounted(const Node *n)
{
        if (node_is(n, KIND_MOUNT))
                return true;
        for (size_t i = 0; i < n->n_upper; i++)
                if (build_is_mounted(n->upper[i]))
                        return true;
        return false;
}

/* The machine itself; NULL: nothing is known of it. */
const Node *build_host(const Build *b)
{
        return graph_find(b->g, KIND_HOST, KIND_HOST);
}

/* The namespace's whole disk, NULL for what has none. */
const Node *build_disk(const Node *ns)
{
        for (size_t i = 0; i < ns->n_upper; i++)
                if (node_is(ns->upper[i], KIND_BLOCK))
                        return ns->upper[i];
        return NULL;
}

/* --- what a row expands over --- */

static int once(Build *b, const StepOps *ops)
{
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, NULL);

        return build_add_step(b, ops, &r, r ? 0 : -ENOMEM);
}

/* wait: how long who asked for time gets it. */
static int for_announce(Build *b, const StepOps *ops)
{
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, NULL);
        int e = r ? build_set_usec(r, "wait", b->policy->delay_max_usec) : -ENOMEM;

        return build_add_step(b, ops, &r, e);
}

/* A mount by which the superblock can be reached from here. */
static const Node *own_mount(const Node *fs)
{
        for (size_t i = 0; i < fs->n_upper; i++)
                if (node_is(fs->upper[i], KIND_MOUNT) && node_has(fs->upper[i], "ns-pid", "1"))
                        return fs->upper[i];
        return NULL;
}

static bool is_writable(const Node *mount)
{
        const char *options = node_get(mount, "fs-options");

        return options && strncmp(options, "rw", 2) == 0 && (!options[2] || options[2] == ',');
}

/* Filesystems on a disk; an overlay dirties only those. */
static bool is_on_disk(const Node *fs)
{
        return fs->n_lower > 0 &&
               (node_is(fs->lower[0], KIND_BLOCK) || node_is(fs->lower[0], KIND_STACKED));
}

/* Whatever can be reached from here: opening is also how reading begins. */
static int for_open_gate(Build *b, const StepOps *ops)
{
        static const char *const keys[] = { "dev", "target", NULL };
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *fs = b->g->nodes[i], *mount;
                _cleanup_(record_freep) Record *r = NULL;

                if (!build_wants_open_gate(b) || !build_takes(b, fs, KIND_FILESYSTEM) ||
                        !(mount = own_mount(fs)))
                        continue;
                r = build_new_step(b, ops, node_name(fs));
                e = build_add_step(b, ops, &r, r ? build_copy_keys(r, mount, keys) : -ENOMEM);
        }
        return e;
}

static int for_writable(Build *b, const StepOps *ops)
{
        static const char *const keys[] = { "dev", "target", NULL };
        int e = 0;

        for (size_t i = b->g->n_nodes; i > 0 && e == 0; i--) {
                const Node *fs = b->g->nodes[i - 1], *mount;
                _cleanup_(record_freep) Record *r = NULL;

                if (!build_takes(b, fs, KIND_FILESYSTEM) || !is_on_disk(fs) ||
                        !(mount = own_mount(fs)) || !is_writable(mount))
                        continue;
                r = build_new_step(b, ops, node_name(fs));
                if (!r)
                        return -ENOMEM;
                e = build_copy_keys(r, mount, keys);
                if (e == 0)
                        e = record_set(r, "uuid", node_get(fs, "uuid"));
                if (e == 0)
                        e = build_set_usec(r, "wait", READONLY_TIMEOUT_USEC);
                e = build_add_step(b, ops, &r, e);
        }
        return e;
}

static int for_hold(Build *b, const StepOps *ops)
{
        return b->req->hold_before_commit ? once(b, ops) : 0;
}

/* What the kernel shut down under its users: only the mounts of the filesystem that was frozen, the
 * others were released before. Deepest first. */
static int for_frozen_mounts(Build *b, const StepOps *ops)
{
        int e = 0;

        for (size_t i = b->g->n_nodes; i > 0 && e == 0; i--) {
                const Node *n = b->g->nodes[i - 1];

                if (build_takes(b, n, KIND_MOUNT) && build_is_frozen_mount(b, n))
                        e = build_release(b, ops, n);
        }
        return e;
}

static int add_claim(Build *b, const StepOps *ops, const Node *disk)
{
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, node_name(disk));

        return build_add_step(
                b, ops, &r, r ? record_set(r, "dev", node_get(disk, "dev")) : -ENOMEM);
}

static int claim_disks(Build *b, const StepOps *ops, bool mounted_too)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *ns = b->g->nodes[i];
                const Node *disk;

                if (!build_takes(b, ns, KIND_NAMESPACE) || !(disk = build_disk(ns)))
                        continue;
                if (mounted_too || !build_is_mounted(ns))
                        e = add_claim(b, ops, disk);
        }
        return e;
}

static int for_disks(Build *b, const StepOps *ops)
{
        return claim_disks(b, ops, true);
}

static int for_unmounted_disks(Build *b, const StepOps *ops)
{
        return claim_disks(b, ops, false);
}

/* The guardian's own deadline: after it, nobody is left who could be waiting for a reason. */
static int set_freeze_keys(const Build *b, Record *r)
{
        int e = build_set_usec(r, "wait", b->policy->freeze_timeout_usec);

        if (e == 0)
                e = build_set_usec(r, "thaw-after",
                        usec_add(b->policy->freeze_timeout_usec, b->policy->unbind_timeout_usec));
        return e < 0 ? e : build_set_newcomer_keys(b, r);
}

static int for_filesystems(Build *b, const StepOps *ops)
{
        static const char *const keys[] = { "dev", "type", NULL };
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *fs = b->g->nodes[i];
                const Node *disk;
                _cleanup_(record_freep) Record *r = NULL;

                if (!build_takes(b, fs, KIND_FILESYSTEM) || !build_is_frozen(fs))
                        continue;
                r = build_new_step(b, ops, node_name(fs));
                if (!r)
                        return -ENOMEM;
                disk = build_disk(b->group);
                e = build_copy_keys(r, fs, keys);
                if (e == 0 && disk)
                        e = record_set(r, "disk", node_name(disk));
                if (e == 0 && disk)
                        e = record_set(r, "disk-dev", node_get(disk, "dev"));
                if (e == 0)
                        e = set_freeze_keys(b, r);
                e = build_add_step(b, ops, &r, e);
        }
        return e;
}

static int for_commit(Build *b, const StepOps *ops)
{
        if (b->committed)
                return 0;
        b->committed = true;
        return once(b, ops);
}

static int add_unbind(Build *b, const StepOps *ops, const Node *ns)
{
        static const char *const keys[] = { "device", "driver", "uuid", NULL };
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, node_name(ns));
        const Node *disk = build_disk(ns);
        int e;

        if (!r)
                return -ENOMEM;
        e = build_copy_keys(r, ns, keys);
        if (e == 0 && disk)
                e = record_set(r, "disk", node_name(disk));
        if (e == 0 && disk)
                e = record_set(r, "dev", node_get(disk, "dev"));
        for (size_t i = 0; i < ns->n_upper && e == 0; i++)
                if (node_is(ns->upper[i], KIND_CHARDEV))
                        e = record_set(r, "chardev", node_name(ns->upper[i]));
        if (e == 0 && b->road == ROAD_FORCED && build_chardev(ns))
                e = record_set(r, "nodes", node_get(build_chardev(ns), "dev"));
        if (e == 0 && b->road == ROAD_FORCED && build_is_mounted(ns))
                e = record_set(r, build_goes_by_pre_remove(b) ? "pre-remove" : "shutdown", "yes");
        if (e == 0 && b->road == ROAD_FORCED)
                e = build_set_frozen(b, r);
        if (e == 0)
                e = build_set_usec(r, "wait", b->policy->unbind_timeout_usec);
        return build_add_step(b, ops, &r, e);
}

static int for_namespaces(Build *b, const StepOps *ops)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *ns = b->g->nodes[i];

                if (build_takes(b, ns, KIND_NAMESPACE) && build_is_bound(ns))
                        e = add_unbind(b, ops, ns);
        }
        return e;
}

static int add_region(Build *b, const StepOps *ops, const Node *region)
{
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, node_name(region));
        int e = r ? record_set(r, "driver", node_get(region, "driver")) : -ENOMEM;

        if (e == 0)
                e = build_set_usec(r, "wait", b->policy->unbind_timeout_usec);
        return build_add_step(b, ops, &r, e);
}

/* An enabled region of which at least one namespace goes: it is below the closure of a namespace.
 */
static bool is_touched(const Node *n)
{
        if (!node_is(n, KIND_REGION) || !node_get(n, "driver"))
                return false;
        for (size_t i = 0; i < n->n_upper && !n->marked; i++)
                if (n->upper[i]->marked)
                        return true;
        return n->marked;
}

static int for_regions(Build *b, const StepOps *ops)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++)
                if (is_touched(b->g->nodes[i]))
                        e = add_region(b, ops, b->g->nodes[i]);
        return e;
}

/* A region goes when the caller named it, its bus or its dimm, or when the policy says so and
 * nothing else lives on it. */
static bool goes_whole(const Build *b, const Node *region)
{
        if (!node_is(b->target, KIND_REGION) && !node_is(b->target, KIND_BUS) &&
                !node_is(b->target, KIND_DIMM) && !b->policy->disable_region)
                return false;
        for (size_t i = 0; i < region->n_upper; i++)
                if (!region->upper[i]->marked && build_is_bound(region->upper[i]))
                        return false;
        return true;
}

static int for_disabled_regions(Build *b, const StepOps *ops)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *n = b->g->nodes[i];

                if (is_touched(n) && goes_whole(b, n))
                        e = add_region(b, ops, n);
        }
        return e;
}

static int for_verify(Build *b, const StepOps *ops)
{
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, node_name(b->target));
        int e = r ? build_set_joined(b, r, "devices", KIND_NAMESPACE, "device") : -ENOMEM;

        if (e == 0)
                e = build_set_joined(b, r, "disks", KIND_BLOCK, NULL);
        if (e == 0)
                e = build_set_joined(b, r, "chardevs", KIND_CHARDEV, NULL);
        if (e == 0)
                e = build_set_joined(b, r, "devs", KIND_BLOCK, "dev");
        return build_add_step(b, ops, &r, e);
}

/* --- building the plan --- */

static int expand_part(Build *b, Part part, size_t from, size_t *ret_next)
{
        size_t i = from;
        int e = 0;

        for (; i < ELEMENTSOF(pipeline) && pipeline[i].part == part && e == 0; i++)
                if (pipeline[i].roads & b->road)
                        e = pipeline[i].expand(b, pipeline[i].ops);
        *ret_next = i;
        return e;
}

/* The rows of a group once per namespace of the closure. */
static int expand_groups(Build *b, size_t from, size_t *ret_next)
{
        int e = 0;

        *ret_next = from;
        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                if (!b->g->nodes[i]->marked || !node_is(b->g->nodes[i], KIND_NAMESPACE))
                        continue;
                b->group = b->g->nodes[i];
                e = expand_part(b, PART_GROUP, from, ret_next);
        }
        b->group = NULL;
        return e;
}

static size_t count_namespaces(const Build *b)
{
        size_t n = 0;

        for (size_t i = 0; i < b->g->n_nodes; i++)
                n += b->g->nodes[i]->marked && node_is(b->g->nodes[i], KIND_NAMESPACE);
        return n;
}

/* Which namespaces a process uses: nobody is to be killed for a filesystem it has nothing to do
 * with, and whose turn may never come. Said only where there are several. */
static int set_namespaces(const Build *b, const Node *process, Record *r)
{
        _cleanup_(strv_freep) char **names = NULL;
        int e = 0;

        if (count_namespaces(b) < 2)
                return 0;
        for (size_t i = 0; i < process->n_lower && e == 0; i++) {
                const Node *ns = node_below(process->lower[i], KIND_NAMESPACE);

                if (ns && !strv_contains(names, node_name(ns)))
                        e = strv_append(&names, node_name(ns));
        }
        return e < 0 ? e : build_set_words(r, "namespaces", names);
}

static int add_processes(Build *b)
{
        static const char *const keys[] = { "start", "comm", "unit", "uses", "example", "container",
                "session", "frozen", NULL };
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *n = b->g->nodes[i];
                _cleanup_(record_freep) Record *r = NULL;

                if (!build_takes(b, n, KIND_PROCESS) || build_is_passer_by(n))
                        continue;
                r = record_new("process", node_name(n));
                if (!r)
                        return -ENOMEM;
                e = build_copy_keys(r, n, keys);
                if (e == 0)
                        e = set_namespaces(b, n, r);
                if (e == 0 && build_is_stopped_by_manager(b, n))
                        e = record_set(r, "stop", "manager");
                if (e == 0)
                        e = plan_add_process(b->plan, r);
                if (e == 0)
                        (void)TAKE_PTR(r);
        }
        return e;
}

static int add_target(Build *b)
{
        b->plan->target = record_new("target", node_name(b->target));
        if (!b->plan->target)
                return -ENOMEM;
        if (record_set(b->plan->target, "kind", node_kind(b->target)) < 0)
                return -ENOMEM;
        return record_set(b->plan->target, "mode", mode_to_string(b->mode));
}

static int add_bodies(Build *b, size_t *next)
{
        size_t from = *next;
        int e = 0;

        for (size_t i = 0; i < b->plan->n_roads && e == 0; i++) {
                b->rung = (unsigned)i + 1;
                b->road = b->roads[i];
                e = expand_part(b, PART_BODY, from, next);
                if (e == 0)
                        e = expand_groups(b, *next, next);
        }
        b->rung = 0;
        b->road = ROAD_ANY;
        return e;
}

bool build_wants_open_gate(const Build *b)
{
        const Node *h = build_host(b);

        if (b->policy->open_gate == OPEN_GATE_CLEAN)
                return h && node_has(h, "open-gate", "clean");
        return b->policy->open_gate == OPEN_GATE_ALWAYS;
}

/* What explains the plan and may change from second to second. */
static int add_notes(Build *b)
{
        const char *no;
        int e = build_losses(b);

        if (e == 0)
                e = build_mention_inhibitors(b);
        if (e == 0)
                e = build_unit_notes(b);
        if (e == 0)
                e = build_mount_notes(b);
        if (e < 0 || !build_has_mounts(b))
                return e;
        if (b->policy->open_gate == OPEN_GATE_CLEAN && !build_wants_open_gate(b)) {
                e = plan_add_note(b->plan,
                        "OpenGate=clean: new users are not kept out, because that would taint this "
                        "kernel");
                if (e < 0)
                        return e;
        }
        if (build_has_road(b, ROAD_FORCED))
                b->plan->estimate_usec = build_estimate_usec(b) / 1000 * 1000;
        no = policy_forced_refused(b, NULL);
        return no ? plan_add_note(b->plan, "the forced road is not open: %s", no) : 0;
}

int build_plan(Build *b)
{
        size_t next = 0;
        int e;

        b->road = ROAD_ANY;
        e = add_target(b);
        if (e == 0)
                e = build_roads(b);
        if (e == 0)
                e = add_processes(b);
        if (e == 0)
                e = expand_part(b, PART_HEAD, 0, &next);
        if (e == 0)
                e = add_bodies(b, &next);
        /* A plan without a forced body has not walked over the group rows. */
        while (next < ELEMENTSOF(pipeline) && pipeline[next].part != PART_TAIL)
                next++;
        if (e == 0)
                e = expand_part(b, PART_TAIL, next, &next);
        if (e == 0)
                e = add_notes(b);
        return e < 0 ? e : plan_seal(b->plan);
}

int build_closure_names(const Build *b, char **ret)
{
        _cleanup_(freep) char *namespaces = NULL, *regions = NULL;
        int e;

        e = build_join_names(b, KIND_NAMESPACE, NULL, &namespaces);
        if (e == 0 || e == -ENOENT)
                e = build_join_names(b, KIND_REGION, NULL, &regions);
        if (e < 0 && e != -ENOENT)
                return e;
        *ret = string_printf("%s%s%s", strempty(namespaces), namespaces && regions ? " " : "",
                strempty(regions));
        return *ret ? 0 : -ENOMEM;
}
