/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The persistent memory of the machine as nodes of a graph. libndctl enumerates; what is bound is
 * read from sysfs, because a namespace's own driver link says nothing when a pfn, btt or dax device
 * claims it, and "fsdax" does not imply a pfn device (kernel-facts 2.3). No call that asks whether
 * something is enabled is made: those poll udev's queue for seconds. The enumeration itself reads
 * wait_probe of each bus, which takes the device locks an unbind holds; that cannot be avoided with
 * this library. */

#include "sys/nd.h"

#include <limits.h>
#include <ndctl/libndctl.h>

#include "kinds.h"
#include "sys/nd-internal.h"
#include "util/text.h"

DEFINE_CLEANUP(struct ndctl_ctx *, ndctl_unref);

/* libndctl lists what it found last first. Sorted by id, two scans of one machine are the same
 * text. */
typedef struct Sorted {
        struct {
                unsigned id;
                void *item;
        } * items;
        size_t n;
} Sorted;

static void sorted_done(Sorted *s)
{
        free(s->items);
}

static int sorted_append(Sorted *s, unsigned id, void *item)
{
        typeof(s->items) items;

        items = reallocarray(s->items, s->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        s->items = items;
        items[s->n].id = id;
        items[s->n++].item = item;
        return 0;
}

static int compare_id(const void *a, const void *b)
{
        const unsigned *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static void sorted_sort(Sorted *s)
{
        if (s->n > 0)
                qsort(s->items, s->n, sizeof(*s->items), compare_id);
}

static void ignore_log(struct ndctl_ctx *ctx, int priority, const char *file, int line,
        const char *fn, const char *format, va_list args)
{
}

static const char *mode_of_namespace(struct ndctl_namespace *ndns)
{
        switch (ndctl_namespace_get_mode(ndns)) {
        case NDCTL_NS_MODE_FSDAX:
                return "fsdax";
        case NDCTL_NS_MODE_SECTOR:
                return "sector";
        case NDCTL_NS_MODE_DEVDAX:
                return "devdax";
        case NDCTL_NS_MODE_RAW:
                return "raw";
        default:
                return "unknown";
        }
}

static int set_label(Node *n, struct ndctl_namespace *ndns)
{
        const char *label = ndctl_namespace_get_alt_name(ndns);

        return label && *label ? node_set(n, "label", label) : 0;
}

static int fill_namespace(Node *n, struct ndctl_namespace *ndns, const char *device,
        const char *path, const char *device_path)
{
        const char *mode = nd_claimer_mode(device);
        int r;

        r = node_setf(n, "size", "%llu", ndctl_namespace_get_size(ndns));
        if (r < 0)
                return r;
        r = nd_set_uuid(n, path, device_path);
        if (r < 0)
                return r;
        r = set_label(n, ndns);
        if (r < 0)
                return r;
        r = nd_set_numa(n, path);
        if (r < 0)
                return r;
        r = node_set(n, "mode", mode ? mode : mode_of_namespace(ndns));
        if (r < 0)
                return r;
        r = node_set(n, "device", device);
        return r < 0 ? r : nd_set_driver(n, device_path);
}

static int add_namespace(Graph *g, Node *region, struct ndctl_namespace *ndns)
{
        _cleanup_(freep) char *device_path = NULL;
        const char *region_path = node_get(region, "sysfs");
        char path[PATH_MAX], device[64];
        Node *n;
        int r;

        r = graph_add(g, KIND_NAMESPACE, ndctl_namespace_get_devname(ndns), &n);
        if (r < 0)
                return r;
        r = graph_link(n, region);
        if (r < 0)
                return r;
        r = nd_set_path(n, path);
        if (r < 0)
                return r;
        r = nd_find_device(region_path, node_name(n), device, sizeof(device));
        if (r < 0)
                return r;
        device_path = string_printf("%s/%s", region_path, device);
        if (!device_path)
                return -ENOMEM;
        r = fill_namespace(n, ndns, device, path, device_path);
        return r < 0 ? r : nd_add_blocks(g, n, device_path);
}

static int add_namespaces(Graph *g, Node *region, struct ndctl_region *ndr)
{
        _cleanup_(sorted_done) Sorted sorted = { 0 };
        struct ndctl_namespace *ndns;
        int r;

        ndctl_namespace_foreach(ndr, ndns)
        {
                if (ndctl_namespace_get_size(ndns) == 0)
                        continue;
                r = sorted_append(&sorted, ndctl_namespace_get_id(ndns), ndns);
                if (r < 0)
                        return r;
        }
        sorted_sort(&sorted);
        for (size_t i = 0; i < sorted.n; i++) {
                r = add_namespace(g, region, sorted.items[i].item);
                if (r < 0)
                        return r;
        }
        return nd_check_complete(g, node_get(region, "sysfs"), KIND_NAMESPACE, "namespace");
}

static int link_dimms(Graph *g, Node *region, struct ndctl_region *ndr)
{
        _cleanup_(sorted_done) Sorted sorted = { 0 };
        struct ndctl_dimm *dimm;
        Node *n;
        int r;

        ndctl_dimm_foreach_in_region(ndr, dimm)
        {
                r = sorted_append(&sorted, ndctl_dimm_get_id(dimm), dimm);
                if (r < 0)
                        return r;
        }
        sorted_sort(&sorted);
        for (size_t i = 0; i < sorted.n; i++) {
                n = graph_find(g, KIND_DIMM, ndctl_dimm_get_devname(sorted.items[i].item));
                r = n ? graph_link(region, n) : -EIO;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int fill_region(Node *n, struct ndctl_region *ndr)
{
        char path[PATH_MAX];
        int r;

        r = nd_set_path(n, path);
        if (r < 0)
                return r;
        r = node_setf(n, "size", "%llu", ndctl_region_get_size(ndr));
        if (r < 0)
                return r;
        r = nd_set_numa(n, path);
        if (r < 0)
                return r;
        r = node_set(n, "type", strna(ndctl_region_get_type_name(ndr)));
        return r < 0 ? r : nd_set_driver(n, path);
}

static int add_region(Graph *g, Node *bus, struct ndctl_region *ndr)
{
        Node *n;
        int r;

        r = graph_add(g, KIND_REGION, ndctl_region_get_devname(ndr), &n);
        if (r < 0)
                return r;
        r = graph_link(n, bus);
        if (r < 0)
                return r;
        r = link_dimms(g, n, ndr);
        if (r < 0)
                return r;
        r = fill_region(n, ndr);
        return r < 0 ? r : add_namespaces(g, n, ndr);
}

static int add_regions(Graph *g, Node *bus, struct ndctl_bus *ndb)
{
        _cleanup_(sorted_done) Sorted sorted = { 0 };
        struct ndctl_region *ndr;
        int r;

        ndctl_region_foreach(ndb, ndr)
        {
                r = sorted_append(&sorted, ndctl_region_get_id(ndr), ndr);
                if (r < 0)
                        return r;
        }
        sorted_sort(&sorted);
        for (size_t i = 0; i < sorted.n; i++) {
                r = add_region(g, bus, sorted.items[i].item);
                if (r < 0)
                        return r;
        }
        return nd_check_complete(g, node_get(bus, "sysfs"), KIND_REGION, "region");
}

static int add_dimm(Graph *g, Node *bus, struct ndctl_dimm *ndd)
{
        const char *id = ndctl_dimm_get_unique_id(ndd);
        char path[PATH_MAX];
        Node *n;
        int r;

        r = graph_add(g, KIND_DIMM, ndctl_dimm_get_devname(ndd), &n);
        if (r < 0)
                return r;
        r = graph_link(n, bus);
        if (r < 0)
                return r;
        r = nd_set_path(n, path);
        if (r < 0)
                return r;
        return id ? node_set(n, "id", id) : 0;
}

static int add_dimms(Graph *g, Node *bus, struct ndctl_bus *ndb)
{
        _cleanup_(sorted_done) Sorted sorted = { 0 };
        struct ndctl_dimm *ndd;
        int r;

        ndctl_dimm_foreach(ndb, ndd)
        {
                r = sorted_append(&sorted, ndctl_dimm_get_id(ndd), ndd);
                if (r < 0)
                        return r;
        }
        sorted_sort(&sorted);
        for (size_t i = 0; i < sorted.n; i++) {
                r = add_dimm(g, bus, sorted.items[i].item);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_bus(Graph *g, struct ndctl_bus *ndb)
{
        char path[PATH_MAX];
        Node *n;
        int r;

        r = graph_add(g, KIND_BUS, ndctl_bus_get_devname(ndb), &n);
        if (r < 0)
                return r;
        r = node_set(n, "provider", strna(ndctl_bus_get_provider(ndb)));
        if (r < 0)
                return r;
        r = nd_set_path(n, path);
        if (r < 0)
                return r;
        r = add_dimms(g, n, ndb);
        return r < 0 ? r : add_regions(g, n, ndb);
}

static int add_busses(Graph *g, struct ndctl_ctx *ctx)
{
        _cleanup_(sorted_done) Sorted sorted = { 0 };
        struct ndctl_bus *ndb;
        int r;

        ndctl_bus_foreach(ctx, ndb)
        {
                r = sorted_append(&sorted, ndctl_bus_get_id(ndb), ndb);
                if (r < 0)
                        return r;
        }
        sorted_sort(&sorted);
        for (size_t i = 0; i < sorted.n; i++) {
                r = add_bus(g, sorted.items[i].item);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* After each wait_probe libndctl polls until udev's queue is empty, up to NDCTL_TIMEOUT
 * milliseconds (5000 unless set, 0 for ever). One busy udev would cost that for every bus and
 * region; sysfs is what is read here, so there is nothing to wait for. */
int nd_scan(Graph *g)
{
        _cleanup_(ndctl_unrefp) struct ndctl_ctx *ctx = NULL;
        int r;

        if (setenv("NDCTL_TIMEOUT", "1", 1) < 0)
                return -errno;
        r = ndctl_new(&ctx);
        if (r < 0)
                return r;
        ndctl_set_log_fn(ctx, ignore_log);
        return add_busses(g, ctx);
}
