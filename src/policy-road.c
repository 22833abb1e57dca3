/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which roads a plan has, and why. */

#include "policy-build.h"

#include "kinds.h"

/* Does the kernel announce the removal to a filesystem of this group or (NULL) of the closure? */
bool build_goes_by_pre_remove(const Build *b)
{
        for (size_t i = 0; i < b->g->n_nodes; i++) {
                const Node *n = b->g->nodes[i];

                if (build_takes(b, n, KIND_FILESYSTEM) && build_is_frozen(n) &&
                        !build_is_shut_down(n))
                        return true;
        }
        return false;
}

static int add_road(Build *b, Road road, const char *why)
{
        _cleanup_(record_freep) Record *r = record_new("road", road_to_string(road));
        int e;

        if (!r)
                return -ENOMEM;
        b->roads[b->plan->n_roads] = road;
        e = record_setf(r, "rung", "%zu", b->plan->n_roads + 1);
        if (e == 0)
                e = record_set(r, "why", why);
        if (e == 0)
                e = plan_add_road(b->plan, r);
        if (e == 0)
                (void)TAKE_PTR(r);
        return e;
}

const char *road_to_string(Road road)
{
        return road == ROAD_FORCED ? "forced" : road == ROAD_KILL ? "kill" : "graceful";
}

/* Of memory that serves as RAM nobody is a user who could stay. */
static bool can_be_used(const Build *b)
{
        for (size_t i = 0; i < b->g->n_nodes; i++)
                if (build_takes(b, b->g->nodes[i], KIND_BLOCK) ||
                        (build_takes(b, b->g->nodes[i], KIND_NAMESPACE) &&
                                build_chardev(b->g->nodes[i])))
                        return true;
        return false;
}

/* A process on what stands above the frozen filesystem, a loop device or an overlay: pre-remove
 * does not reach it, and what it uses has to be unmounted before the freeze. */
static bool is_out_of_reach(const Node *process)
{
        for (size_t i = 0; i < process->n_lower; i++) {
                const Node *n = process->lower[i];

                if (node_is(n, KIND_STACKED) ||
                        (node_is(n, KIND_FILESYSTEM) && n->marked && !build_is_frozen(n)))
                        return true;
        }
        return false;
}

static bool has_out_of_reach(const Build *b)
{
        for (size_t i = 0; i < b->g->n_nodes; i++)
                if (build_takes(b, b->g->nodes[i], KIND_PROCESS) &&
                        !build_is_passer_by(b->g->nodes[i]) && is_out_of_reach(b->g->nodes[i]))
                        return true;
        return false;
}

/* Which roads the plan has, first tried first, and why. The blockers have been ruled out before. */
int build_roads(Build *b)
{
        const char *no;
        int e;

        if (b->mode == MODE_FORCED) {
                if (build_has_mounts(b) || build_has_chardev_users(b))
                        return add_road(b, ROAD_FORCED, "mode=forced: at once after the drain");
                return add_road(b, ROAD_GRACEFUL,
                        "nothing is mounted or mapped, so nothing has to be forced");
        }
        e = add_road(b, ROAD_GRACEFUL,
                b->mode == MODE_GRACEFUL ? "mode=graceful: if someone stays, everything is undone"
                                         : "always tried first");
        if (e < 0 || b->mode == MODE_GRACEFUL)
                return e;
        no = policy_forced_refused(b, NULL);
        if (b->policy->last_signal && has_out_of_reach(b))
                return add_road(b, ROAD_KILL,
                        "if someone stays: pre-remove does not reach who uses what is stacked on "
                        "it");
        if (build_has_mounts(b) && !no)
                return add_road(b, ROAD_FORCED,
                        build_goes_by_pre_remove(b)
                                ? "if someone stays: pre-remove is proven here and within "
                                  "FreezeBudget="
                                : "if someone stays: no DAX mapping can exist, and the kernel "
                                  "shuts the filesystem down with its disk");
        if (b->policy->last_signal && can_be_used(b))
                return add_road(b, ROAD_KILL, "if someone stays");
        return 0;
}

bool build_has_road(const Build *b, Road road)
{
        for (size_t i = 0; i < b->plan->n_roads; i++)
                if (b->roads[i] == road)
                        return true;
        return false;
}
