/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The site's hooks in a plan: a step each, with what their environment is made of, so that a dry
 * run names them and the plan's id changes with them. */

#include "kinds.h"
#include "policy-build.h"

/* As the kernel writes paths into /proc/self/mountinfo: \040 for a blank. */
static char *escape_octal(const char *path)
{
        char *text = malloc(strlen(path) * 4 + 1), *out = text;

        for (; text && *path; path++)
                if ((unsigned char)*path <= ' ' || *path == '\\' || *path == 0x7f)
                        out += snprintf(out, 5, "\\%03o", (unsigned char)*path);
                else
                        *out++ = *path;
        if (text)
                *out = '\0';
        return text;
}

/* Where it is mounted as this machine sees it; what containers see is in the plan. */
static int set_mounts(const Build *b, Record *r)
{
        _cleanup_(strv_freep) char **targets = NULL;
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *n = b->g->nodes[i];
                _cleanup_(freep) char *target = NULL;

                if (!build_takes(b, n, KIND_MOUNT) || !node_has(n, "ns-pid", "1") ||
                        !node_get(n, "target"))
                        continue;
                target = escape_octal(node_get(n, "target"));
                if (!target)
                        return -ENOMEM;
                if (!strv_contains(targets, target))
                        e = strv_append(&targets, target);
        }
        return e < 0 ? e : build_set_words(r, "mounts", targets);
}

static int add_hook(Build *b, const StepOps *ops, const Node *hook)
{
        _cleanup_(record_freep) Record *r = build_new_step(b, ops, node_name(hook));
        _cleanup_(freep) char *devices = NULL;
        int e;

        if (!r)
                return -ENOMEM;
        e = record_set(r, "path", node_get(hook, "path"));
        if (e == 0)
                e = build_closure_names(b, &devices);
        if (e == 0)
                e = record_set(r, "devices", devices);
        if (e == 0)
                e = set_mounts(b, r);
        if (e == 0)
                e = build_set_usec(r, "wait", b->policy->hook_timeout_usec);
        return build_add_step(b, ops, &r, e);
}

int build_hooks(Build *b, const StepOps *ops)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++)
                if (node_is(b->g->nodes[i], KIND_HOOK))
                        e = add_hook(b, ops, b->g->nodes[i]);
        return e;
}

/* It might have said no. */
int build_trust_hooks(Build *b)
{
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                const Node *n = b->g->nodes[i];
                const char *why = node_get(n, "blocker");

                if (node_is(n, KIND_HOOK) && why)
                        e = build_block(b, FAILURE_INVALID_CONFIG, strna(node_get(n, "path")),
                                "this hook cannot be asked, so nothing is removed: %s", why);
        }
        return e;
}
