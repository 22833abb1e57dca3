/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shared by policy.c (the pipeline), policy-release.c (what is taken away, and how) and
 * policy-rules.c (what is refused and why), and what they are split into; nobody else includes it.
 */

#include "policy.h"
#include "util/text.h"

typedef enum Road {
        ROAD_GRACEFUL = 1 << 0,
        ROAD_FORCED = 1 << 1,
        ROAD_KILL = 1 << 2,
        ROAD_ANY = ROAD_GRACEFUL | ROAD_FORCED | ROAD_KILL,
} Road;

const char *road_to_string(Road road);

typedef struct Build {
        const Config *config;
        const Policy *policy;
        const Request *req;
        const Graph *g; /* the closure is marked */
        const Node *target;
        Mode mode;
        Plan *plan;
        Verdict *verdict;

        /* while the pipeline is gone through */
        Road roads[2];
        Road road;
        unsigned rung;
        const Node *group;
        bool committed;

        char why[512]; /* why the forced road is not open */
} Build;

/* One more reason why it is refused. */
int build_block(Build *b, FailureKind kind, const char *node, const char *fmt, ...) _printf_(4, 5);
bool build_takes(const Build *b, const Node *n, const char *kind);
bool build_is_bound(const Node *ns);
bool build_is_mounted(const Node *n);
bool build_is_passer_by(const Node *process);
bool build_wants_open_gate(const Build *b);
const Node *build_disk(const Node *ns);
const Node *build_host(const Build *b);
Record *build_new_step(const Build *b, const StepOps *ops, const char *node);
/* Takes the record over on success; e is what went wrong while it was filled. */
int build_add_step(Build *b, const StepOps *ops, Record **args, int e) _must_check_;
int build_set_usec(Record *r, const char *key, uint64_t usec) _must_check_;
int build_copy_keys(Record *r, const Node *n, const char *const keys[]) _must_check_;
/* Names of closure nodes of a kind (or their attribute key), blank separated; -ENOENT if none. */
int build_join_names(const Build *b, const char *kind, const char *key, char **ret) _must_check_;
int build_set_joined(const Build *b, Record *r, const char *key, const char *kind,
        const char *attr) _must_check_;
int build_set_words(Record *r, const char *key, char *const *words) _must_check_;
/* devs=, raw= and filesystems= */
int build_set_devs(const Build *b, Record *r) _must_check_;
int build_set_raw(const Build *b, Record *r) _must_check_;
int build_set_frozen(const Build *b, Record *r) _must_check_;
int build_closure_names(const Build *b, char **ret) _must_check_;
int build_plan(Build *b) _must_check_;

/* policy-hooks.c: one step for each hook; one that cannot be trusted refuses. */
int build_hooks(Build *b, const StepOps *ops) _must_check_;
int build_trust_hooks(Build *b) _must_check_;
/* policy-inhibitors.c: who forbids it becomes a blocker; who asks for time, or is ignored, a note
 * of the plan. */
int build_ask_inhibitors(Build *b) _must_check_;
int build_mention_inhibitors(Build *b) _must_check_;

/* policy-road.c: first tried first. The blockers have been ruled out before. */
int build_roads(Build *b) _must_check_;
bool build_has_road(const Build *b, Road road);
/* Does the kernel announce the removal to a filesystem of the current group, or of the closure? */
bool build_goes_by_pre_remove(const Build *b);

/* policy-limits.c: what [Budget] refuses. */
int build_limits(Build *b) _must_check_;

/* policy-chardev.c: the device-dax of a namespace that processes can have open, NULL for none. */
const Node *build_chardev(const Node *ns);
bool build_has_chardev_users(const Build *b);
int build_vacates(Build *b, const StepOps *ops) _must_check_;

/* policy-processes.c: rows of the pipeline that are about processes. */
int build_signals(Build *b, const StepOps *ops) _must_check_;
int build_kill(Build *b, const StepOps *ops) _must_check_;
int build_settle(Build *b, const StepOps *ops) _must_check_;
/* What may be done to processes that come after the plan. */
int build_set_held_keys(const Build *b, Record *r) _must_check_;
int build_set_newcomer_keys(const Build *b, Record *r) _must_check_;

/* policy-mount-units.c */
int build_mount_units(Build *b, const StepOps *ops) _must_check_;
int build_automounts(Build *b, const StepOps *ops) _must_check_;
int build_ungates(Build *b, const StepOps *ops) _must_check_;
int build_keepoffs(Build *b, const StepOps *ops) _must_check_;
int build_mount_notes(Build *b) _must_check_;

/* policy-services.c */
int build_stop_units(Build *b, const StepOps *ops) _must_check_;
bool build_is_stopped_by_manager(const Build *b, const Node *process);
int build_rule_unit(Build *b, const Node *n) _must_check_;
int build_unit_notes(Build *b) _must_check_;

/* policy-release.c: is there a step that takes this holder away and gives it back? */
bool build_can_release(const Node *n);
const StepOps *build_find_release(const char *name);
/* The filesystem of a mount; NULL for one that is mounted on ours and none of ours. */
const Node *build_filesystem(const Node *mount);
/* The step of a releasable node; ops in the place of the one that the table has. */
int build_release(Build *b, const StepOps *ops, const Node *n) _must_check_;
/* Everything that stands on the closure, from the top down. */
int build_releases(Build *b, const StepOps *none) _must_check_;
/* Notes about what goes with it without being asked, and does not come back. */
int build_losses(Build *b) _must_check_;
bool build_is_frozen(const Node *fs);
/* No DAX mapping of it can exist: on the forced road the kernel shuts it down and kills nobody. */
bool build_is_shut_down(const Node *fs);
bool build_is_frozen_mount(const Build *b, const Node *mount);

/* policy-forced.c */
bool build_has_mounts(const Build *b);
/* Upper bound of the frozen time on the forced road. */
uint64_t build_estimate_usec(const Build *b);
/* NULL when what the kernel does is proven for every mounted filesystem of the closure (pre-remove,
 * or a shutdown where no DAX mapping can exist) and within the budget, else one sentence; *ret_node
 * (may be NULL) is what it is about. */
const char *policy_forced_refused(Build *b, const Node **ret_node);
