/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a graph to a table of devices. Pure: the graph came from a planner. A table is never
 * changed; the next snapshot makes the next table, and device_compare() finds what to tell. */

#include "manager-devices.h"

#include <systemd/sd-bus.h>

#include "bus.h"
#include "kinds.h"
#include "caller-limits.h"
#include "util/text.h"
#include "util/utf8.h"

/* Kinds that are objects on the bus, and the kind their Parent has. */
static const struct {
        const char *kind;
        const char *parent;
} kinds[] = {
        { KIND_BUS, NULL },
        { KIND_DIMM, KIND_BUS },
        { KIND_REGION, KIND_BUS },
        { KIND_NAMESPACE, KIND_REGION },
};

static const char *parent_kind(const Node *n)
{
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (node_is(n, kinds[i].kind))
                        return kinds[i].parent;
        return NULL;
}

static bool is_device(const Node *n)
{
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (node_is(n, kinds[i].kind))
                        return true;
        return false;
}

int device_path(const char *name, char **ret)
{
        return sd_bus_path_encode(BUS_PATH_DEVICE, name, ret);
}

const Node *device_node(const Node *n)
{
        if (is_device(n))
                return n;
        for (size_t i = ELEMENTSOF(kinds); i > 0; i--) {
                const Node *below = node_below(n, kinds[i - 1].kind);

                if (below)
                        return below;
        }
        return NULL;
}

static void device_free(Device *d)
{
        if (!d)
                return;
        free(d->name);
        free(d->kind);
        free(d->sysfs);
        free(d->path);
        free(d->parent);
        free(d->mode);
        free(d->block);
        free(d->bound);
        free(d->uuid);
        free(d->filesystems);
        free(d->users);
        free(d->can_remove);
        strv_free(d->children);
        strv_free(d->mounts);
        strv_free(d->holders);
        free(d);
}

DEFINE_CLEANUP(Device *, device_free);

DeviceTable *device_table_free(DeviceTable *t)
{
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n; i++)
                device_free(t->items[i]);
        free(t->items);
        free(t->pre_remove);
        free(t->pre_remove_why);
        free(t);
        return NULL;
}

static int add_path(char ***l, const char *name)
{
        _cleanup_(freep) char *path = NULL;
        int r;

        r = device_path(name, &path);
        return r < 0 ? r : strv_append(l, path);
}

static int set_parent(Device *d, const Node *n)
{
        const char *kind = parent_kind(n);
        const Node *parent = kind ? node_below(n, kind) : NULL;

        if (parent)
                return device_path(node_name(parent), &d->parent);
        return free_and_strdup(&d->parent, "/");
}

static int set_children(Device *d, const Node *n)
{
        for (size_t i = 0; i < n->n_upper; i++)
                if (is_device(n->upper[i])) {
                        int r = add_path(&d->children, node_name(n->upper[i]));

                        if (r < 0)
                                return r;
                }
        return 0;
}

/* Only a namespace has one device node; a region's are those of its namespaces. */
static int set_block(Device *d, const Node *n)
{
        for (size_t i = 0; i < n->n_upper; i++)
                if (node_is(n->upper[i], KIND_BLOCK) || node_is(n->upper[i], KIND_CHARDEV)) {
                        free(d->block);
                        d->block = string_printf("/dev/%s", node_name(n->upper[i]));
                        return d->block ? 0 : -ENOMEM;
                }
        return 0;
}

static bool is_holder(const Node *n)
{
        return !is_device(n) && !node_is(n, KIND_BLOCK) && !node_is(n, KIND_CHARDEV) &&
               !node_is(n, KIND_HOST);
}

/* This runs in the daemon, and appending counts what is there already: both lists have to be short.
 */
static int set_holders(Device *d, const Graph *g)
{
        size_t room_mounts = LIMIT_LIST, room_holders = LIMIT_LIST;
        int r = 0;

        for (size_t i = 0; i < g->n_nodes && r == 0; i++) {
                const Node *n = g->nodes[i];
                const char *target = strempty(node_get(n, "target"));

                if (!n->marked)
                        continue;
                if (node_is(n, KIND_MOUNT) && utf8_fits(&room_mounts, target))
                        r = strv_append(&d->mounts, target);
                if (r < 0 || !is_holder(n) || !utf8_fits(&room_holders, node_kind(n)) ||
                        !utf8_fits(&room_holders, node_name(n)))
                        continue;
                r = strv_append(&d->holders, node_kind(n));
                if (r == 0)
                        r = strv_append(&d->holders, node_name(n));
        }
        return r;
}

/* A quick word for a list, from what stands on it; PlanRemove gives the real answer. */
static const char *can_remove(const Graph *g)
{
        bool enabled = false;

        for (size_t i = 0; i < g->n_nodes; i++) {
                const Node *n = g->nodes[i];

                if (!n->marked)
                        continue;
                if (node_is(n, KIND_HOLDER) || node_get(n, "blocker") || node_get(n, "footing"))
                        return "no";
                if ((node_is(n, KIND_NAMESPACE) || node_is(n, KIND_REGION)) &&
                        node_get(n, "driver"))
                        enabled = true;
        }
        return enabled ? "yes" : "removed";
}

static int set_words(Device *d, const Node *n)
{
        uint64_t numa;
        int r;

        r = free_and_strdup(&d->name, node_name(n));
        if (r == 0)
                r = free_and_strdup(&d->kind, node_kind(n));
        if (r == 0)
                r = free_and_strdup(&d->sysfs, strempty(node_get(n, "sysfs")));
        if (r == 0)
                r = free_and_strdup(&d->mode, strempty(node_get(n, "mode")));
        if (r == 0)
                r = free_and_strdup(&d->block, "");
        if (r == 0 && node_is(n, KIND_NAMESPACE) && node_get(n, "driver"))
                r = free_and_strdup(&d->bound, node_get(n, "device"));
        if (r == 0)
                r = device_path(node_name(n), &d->path);
        d->size = node_get_u64(n, "size");
        d->numa = record_get_u64(n->record, "numa", &numa) == 0 && numa < INT32_MAX ? (int32_t)numa
                                                                                    : -1;
        return r < 0 ? r : 0;
}

/* Of a disk, and not of nothing (get_anon_bdev(), fs/super.c): such a number says nothing about
 * whether the filesystem is dead, and its next owner is anybody. */
static bool has_disk(const Node *n)
{
        const char *dev = node_get(n, "dev");

        return dev && strncmp(dev, "0:", 2) != 0;
}

/* What would be dead if this namespace vanished. Where nobody says that it is not DAX, it may be.
 */
static int set_filesystems(Device *d, const Graph *g)
{
        for (size_t i = 0; i < g->n_nodes; i++) {
                const Node *n = g->nodes[i];
                char *grown;

                if (!n->marked || !node_is(n, KIND_FILESYSTEM) || !has_disk(n))
                        continue;
                grown = string_printf("%s%s%s", strempty(d->filesystems), d->filesystems ? " " : "",
                        node_get(n, "dev"));
                if (!grown)
                        return -ENOMEM;
                free(d->filesystems);
                free(d->users);
                d->filesystems = grown;
                d->dax = d->dax || !node_has(n, "dax", "no");
        }
        return 0;
}

static int device_new(Graph *g, Node *n, Device **ret)
{
        _cleanup_(device_freep) Device *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return -ENOMEM;
        graph_unmark(g);
        graph_mark_above(n);
        r = set_words(d, n);
        if (r == 0)
                r = set_parent(d, n);
        if (r >= 0)
                r = set_children(d, n);
        if (r == 0 && node_is(n, KIND_NAMESPACE))
                r = set_block(d, n);
        if (r == 0)
                r = set_holders(d, g);
        if (r == 0 && node_is(n, KIND_NAMESPACE))
                r = set_filesystems(d, g);
        if (r == 0 && node_is(n, KIND_NAMESPACE) && node_get(n, "uuid"))
                r = free_and_strdup(&d->uuid, node_get(n, "uuid"));
        if (r == 0)
                r = free_and_strdup(&d->can_remove, can_remove(g));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

static int set_pre_remove(DeviceTable *t, const Graph *g)
{
        const Node *host = graph_find(g, KIND_HOST, KIND_HOST);
        const char *answer = host ? node_get(host, "pre-remove") : NULL;
        int r;

        r = free_and_strdup(&t->pre_remove, answer ? answer : "unknown");
        if (r < 0)
                return r;
        return free_and_strdup(
                &t->pre_remove_why, strempty(host ? node_get(host, "pre-remove-why") : NULL));
}

int device_table_new(Graph *g, DeviceTable **ret)
{
        _cleanup_(device_table_freep) DeviceTable *t = calloc(1, sizeof(*t));
        int r;

        if (!t)
                return -ENOMEM;
        t->items = calloc(g->n_nodes + 1, sizeof(Device *));
        if (!t->items)
                return -ENOMEM;
        for (size_t i = 0; i < g->n_nodes; i++) {
                if (!is_device(g->nodes[i]))
                        continue;
                r = device_new(g, g->nodes[i], &t->items[t->n]);
                if (r < 0)
                        return r;
                t->n++;
        }
        r = set_pre_remove(t, g);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

Device *device_table_find(const DeviceTable *t, const char *name)
{
        for (size_t i = 0; t && i < t->n; i++)
                if (streq(t->items[i]->name, name))
                        return t->items[i];
        return NULL;
}

Device *device_table_find_path(const DeviceTable *t, const char *path)
{
        for (size_t i = 0; t && i < t->n; i++)
                if (streq(t->items[i]->path, path))
                        return t->items[i];
        return NULL;
}

static bool strv_same(char *const *a, char *const *b)
{
        size_t n = strv_length(a);

        if (n != strv_length(b))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!streq(a[i], b[i]))
                        return false;
        return true;
}

void device_compare(
        const Device *a, const Device *b, const char *ret[static DEVICE_PROPERTIES_MAX + 1])
{
        const struct {
                const char *property;
                bool same;
        } rows[] = {
                { "SysfsPath", streq(a->sysfs, b->sysfs) },
                { "Parent", streq(a->parent, b->parent) },
                { "Mode", streq(a->mode, b->mode) },
                { "BlockDevice", streq(a->block, b->block) },
                { "CanRemove", streq(a->can_remove, b->can_remove) },
                { "Children", strv_same(a->children, b->children) },
                { "Mounts", strv_same(a->mounts, b->mounts) },
                { "Holders", strv_same(a->holders, b->holders) },
                { "Size", a->size == b->size },
                { "Numa", a->numa == b->numa },
        };
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (!rows[i].same)
                        ret[n++] = rows[i].property;
        ret[n] = NULL;
}
