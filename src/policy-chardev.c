/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device-dax: who can have it open, and when that is asked. */

#include "policy-build.h"

#include "kinds.h"

/* How long somebody may still be on his way out, after the signals have been waited for. */
#define VACATE_USEC USEC_PER_SEC

/* Device-dax that processes can have open: not the one that serves as memory. */
const Node *build_chardev(const Node *ns)
{
        for (size_t i = 0; i < ns->n_upper; i++)
                if (node_is(ns->upper[i], KIND_CHARDEV) &&
                        !node_has(ns->upper[i], "driver", "kmem"))
                        return ns->upper[i];
        return NULL;
}

bool build_has_chardev_users(const Build *b)
{
        for (size_t i = 0; i < b->g->n_nodes; i++)
                for (size_t k = 0; k < b->g->nodes[i]->n_upper; k++)
                        if (build_takes(b, b->g->nodes[i], KIND_CHARDEV) &&
                                node_is(b->g->nodes[i]->upper[k], KIND_PROCESS))
                                return true;
        return false;
}

int build_vacates(Build *b, const StepOps *ops)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *ns = b->g->nodes[i];
                const Node *chardev;
                _cleanup_(record_freep) Record *r = NULL;

                if (!build_takes(b, ns, KIND_NAMESPACE) || !build_is_bound(ns) ||
                        !(chardev = build_chardev(ns)))
                        continue;
                r = build_new_step(b, ops, node_name(chardev));
                e = r ? record_set(r, "nodes", node_get(chardev, "dev")) : -ENOMEM;
                if (e == 0)
                        e = build_set_usec(r, "wait", VACATE_USEC);
                e = build_add_step(b, ops, &r, e);
        }
        return e;
}
