/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A node of the topology in words: which of its attributes (kinds.h) a person wants to see. */

#include "ctl.h"
#include "kinds.h"

/* name: attribute to show instead of the name; detail: attributes worth showing. */
static const struct {
        const char *kind, *name, *detail;
} kinds[] = {
        { KIND_BUS, NULL, "provider" },
        { KIND_DIMM, NULL, "id" },
        { KIND_REGION, NULL, "type numa" },
        { KIND_NAMESPACE, NULL, "label uuid numa" },
        { KIND_BLOCK, NULL, "dev dax" },
        { KIND_CHARDEV, NULL, "dev driver" },
        { KIND_MEMORY, NULL, "what blocks" },
        { KIND_STACKED, NULL, "what dm-name targets level dev" },
        { KIND_LEG, NULL, "what role" },
        { KIND_FILESYSTEM, NULL, "type label dax rmapbt realtime footing" },
        { KIND_SWAP, NULL, "used" },
        { KIND_MOUNT, "target", "options ns-pid" },
        { KIND_PROCESS, "comm", "unit container uses frozen pins example" },
        { KIND_HOLDER, NULL, "what" },
};

/* Values that say nothing without their key. */
static const char *const keyed[] = { "numa", "footing", "used", "blocks", "pins", "ns-pid" };

static const char *kind_detail(const Node *n)
{
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (node_is(n, kinds[i].kind))
                        return kinds[i].detail;
        return "what";
}

char *node_title(const Node *n)
{
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                const char *s = kinds[i].name ? node_get(n, kinds[i].name) : NULL;

                if (!node_is(n, kinds[i].kind) || !s)
                        continue;
                if (node_is(n, KIND_PROCESS))
                        return string_printf("%s %s", node_name(n), s);
                return strdup(s);
        }
        return strdup(node_name(n));
}

static bool is_keyed(const char *key)
{
        for (size_t i = 0; i < ELEMENTSOF(keyed); i++)
                if (streq(keyed[i], key))
                        return true;
        return false;
}

/* A list has room for what is there ("dax"), a status tells what is not, too ("rmapbt=no"). */
static void detail_add(FILE *f, const Node *n, const char *key, bool full)
{
        const char *value = strempty(node_get(n, key)), *blank = ftell(f) > 0 ? " " : "";
        bool yes = streq(value, "yes"), no = streq(value, "no"), unknown = streq(value, "unknown");

        if (streq(value, "") || streq(value, "-1") || (no && !full))
                return;
        if (is_keyed(key) || (full && (yes || no || unknown)))
                fprintf(f, "%s%s=%s", blank, key, value);
        else
                fprintf(f, "%s%s%s", blank, yes || unknown ? key : value, unknown ? "?" : "");
}

int node_detail(const Node *n, bool full, char **ret)
{
        _cleanup_(strv_freep) char **keys = NULL;
        size_t size;
        FILE *f;
        int r;

        r = strv_split(kind_detail(n), &keys);
        if (r < 0)
                return r;
        f = open_memstream(ret, &size);
        if (!f)
                return -ENOMEM;
        for (char **k = keys; *k; k++)
                detail_add(f, n, *k, full);
        return memstream_close(f, ret);
}
