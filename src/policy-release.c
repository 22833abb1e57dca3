/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What stands on the memory is taken away from the top down, whatever kinds are mixed: a mount on a
 * loop device on a file on the filesystem below. THE TABLE says for each kind of holder which step
 * releases it and which attributes of its node the step needs, also to give it back. A kind without
 * a row cannot be released and blocks (policy-rules.c). */

#include "policy-build.h"

#include "kinds.h"

typedef struct Release {
        const char *kind;
        const char *type; /* the node's type=, NULL: any */
        const StepOps *ops;
        const char *name; /* attribute that the step is named after, NULL: the node's name */
        uint64_t wait_usec;
        const char *keys[14];
} Release;

/* clang-format off */
static const Release releases[] = {
        /* umount waits only for inode eviction, and on kernels from 6.15 for busy pages. */
        { KIND_MOUNT, NULL, &step_unmount, "target", 60 * USEC_PER_SEC,
          { "id", "dev", "ns", "ns-id", "ns-pid", "root", "fstype", "source", "options", "fs-options",
            "propagation", "uuid" } },
        /* For one block: the kernel moves each of its pages. */
        { KIND_MEMORY, NULL, &step_offline, NULL, 60 * USEC_PER_SEC,
          { "start", "size", "blocks", "movable", "kernel" } },
        /* Whoever has it open keeps it: not longer than udev looks at a device. */
        { KIND_STACKED, "loop", &step_loop, NULL, 10 * USEC_PER_SEC,
          { "dev", "file", "offset", "sizelimit", "block-size", "read-only", "partscan",
            "autoclear", "direct-io" } },
        /* Page by page through the machine's memory. */
        { KIND_SWAP, NULL, &step_swapoff, "path", 10 * 60 * USEC_PER_SEC,
          { "dev", "priority", "swap-uuid" } },
        /* Its last I/O is waited for, and udev's rules twice. */
        { KIND_STACKED, "dm", &step_deactivate, "dm-name", 60 * USEC_PER_SEC,
          { "dev", "dm-uuid", "targets", "table", "devs", "read-only" } },
        { KIND_STACKED, "md", &step_stop, NULL, 60 * USEC_PER_SEC,
          { "dev", "level", "array-uuid", "members" } },
        { KIND_LEG, NULL, &step_leg, NULL, 30 * USEC_PER_SEC,
          { "disk", "dev", "array", "array-dev", "array-uuid", "level", "role", "redundancy" } },
        { KIND_HOLDER, "nfsd", &step_unexport, "path", 10 * USEC_PER_SEC,
          { "exports", "id", "dev", "ns", "ns-id", "ns-pid", "target", "fstype" } },
};
/* clang-format on */

static const Release *find(const Node *n)
{
        for (size_t i = 0; i < ELEMENTSOF(releases); i++)
                if (node_is(n, releases[i].kind) &&
                        (!releases[i].type || node_has(n, "type", releases[i].type)))
                        return releases + i;
        return NULL;
}

bool build_can_release(const Node *n)
{
        return find(n);
}

const StepOps *build_find_release(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(releases); i++)
                if (streq(releases[i].ops->name, name))
                        return releases[i].ops;
        return NULL;
}

/* The filesystem of a mount; its other link, if it has one, is the mount that it hides. */
const Node *build_filesystem(const Node *n)
{
        for (size_t i = 0; i < n->n_lower; i++)
                if (node_is(n->lower[i], KIND_FILESYSTEM))
                        return n->lower[i];
        return NULL;
}

/* By the uuid a step knows the thing again after its device was unbound and bound; from the nd
 * device it sees whether somebody took the memory away under it. */
static int set_base(Record *r, const Node *n)
{
        const Node *fs = build_filesystem(n), *ns = node_below(n, KIND_NAMESPACE);
        int e = fs ? record_set(r, "uuid", node_get(fs, "uuid")) : 0;

        return e < 0 || !ns ? e : record_set(r, "device", node_get(ns, "device"));
}

int build_release(Build *b, const StepOps *ops, const Node *n)
{
        const Release *release = find(n);
        const char *name = release->name ? node_get(n, release->name) : node_name(n);
        _cleanup_(record_freep) Record *r = build_new_step(b, ops ? ops : release->ops, name);
        int e;

        if (!r)
                return -ENOMEM;
        e = build_copy_keys(r, n, release->keys);
        if (e == 0)
                e = set_base(r, n);
        if (e == 0)
                e = build_set_usec(r, "wait", release->wait_usec);
        return build_add_step(b, ops ? ops : release->ops, &r, e);
}

/* On the forced road the filesystem that stands on the memory with no other one in between is
 * frozen and goes with its device. */
bool build_is_frozen(const Node *fs)
{
        for (size_t i = 0; i < fs->n_lower; i++)
                if (node_below(fs->lower[i], KIND_FILESYSTEM))
                        return false;
        return build_is_mounted(fs);
}

bool build_is_shut_down(const Node *fs)
{
        return node_has(fs, "dax", "no");
}

/* A mount of a filesystem that stays, below one that goes, is unmounted before. */
bool build_is_frozen_mount(const Build *b, const Node *n)
{
        const Node *fs = node_is(n, KIND_MOUNT) ? build_filesystem(n) : NULL;

        return b->road == ROAD_FORCED && fs && fs->marked && build_is_frozen(fs);
}

int build_releases(Build *b, const StepOps *none)
{
        int e = 0;

        for (size_t i = b->g->n_nodes; i > 0 && e == 0; i--) {
                const Node *n = b->g->nodes[i - 1];

                if (n->marked && find(n) && !build_is_frozen_mount(b, n))
                        e = build_release(b, none, n);
        }
        return e;
}

static int add_loss(Build *b, const Node *n)
{
        const char *name = node_is(n, KIND_MOUNT) ? node_get(n, "target") : node_name(n);

        return plan_add_note(b->plan, "%s: %s", strna(name), node_get(n, "note"));
}

int build_losses(Build *b)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++)
                if (b->g->nodes[i]->marked && node_get(b->g->nodes[i], "note"))
                        e = add_loss(b, b->g->nodes[i]);
        return e;
}
