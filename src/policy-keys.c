/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keys of a step that name several nodes of the closure. */

#include "kinds.h"
#include "policy-build.h"

/* Names of closure nodes of a kind, blank separated; -ENOENT if there are none. */
int build_join_names(const Build *b, const char *kind, const char *key, char **ret)
{
        _cleanup_(freep) char *text = NULL;

        for (size_t i = 0; i < b->g->n_nodes; i++) {
                const Node *n = b->g->nodes[i];
                const char *word = key ? node_get(n, key) : node_name(n);
                char *longer;

                if (!build_takes(b, n, kind) || !word)
                        continue;
                longer = string_printf("%s%s%s", strempty(text), text ? " " : "", word);
                if (!longer)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        if (!text)
                return -ENOENT;
        *ret = TAKE_PTR(text);
        return 0;
}

int build_set_joined(const Build *b, Record *r, const char *key, const char *kind, const char *attr)
{
        _cleanup_(freep) char *text = NULL;
        int e = build_join_names(b, kind, attr, &text);

        if (e == -ENOENT)
                return 0;
        return e < 0 ? e : record_set(r, key, text);
}

int build_set_words(Record *r, const char *key, char *const *words)
{
        _cleanup_(freep) char *text = NULL;
        int e = strv_join(words, &text);

        return e < 0 || !*text ? e : record_set(r, key, text);
}

/* Each number once. */
static int set_numbers(const Build *b, Record *r, const char *key, const char *const kinds[])
{
        _cleanup_(strv_freep) char **devs = NULL;
        int e = 0;

        for (; *kinds; kinds++)
                for (size_t i = 0; i < b->g->n_nodes && e == 0; i++) {
                        const Node *n = b->g->nodes[i];
                        const char *dev = node_get(n, "dev");

                        if (dev && build_takes(b, n, *kinds) && !node_get(n, "foreign") &&
                                !strv_contains(devs, dev))
                                e = strv_append(&devs, dev);
                }
        return e < 0 ? e : build_set_words(r, key, devs);
}

/* Disks, and what stands on them and shows a number of its own: on a loop device, an overlay, one
 * that has only its log here, a subvolume of btrfs. */
int build_set_devs(const Build *b, Record *r)
{
        static const char *const kinds[] = { KIND_BLOCK, KIND_FILESYSTEM, KIND_MOUNT, NULL };

        return set_numbers(b, r, "devs", kinds);
}

int build_set_raw(const Build *b, Record *r)
{
        static const char *const kinds[] = { KIND_BLOCK, KIND_STACKED, NULL };

        return set_numbers(b, r, "raw", kinds);
}

/* Not those above them, which were unmounted before. */
int build_set_frozen(const Build *b, Record *r)
{
        _cleanup_(strv_freep) char **names = NULL;
        int e = 0;

        for (size_t i = 0; i < b->g->n_nodes && e == 0; i++)
                if (build_takes(b, b->g->nodes[i], KIND_FILESYSTEM) &&
                        build_is_frozen(b->g->nodes[i]))
                        e = strv_append(&names, node_name(b->g->nodes[i]));
        return e < 0 ? e : build_set_words(r, "filesystems", names);
}
