/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is: the daemon's device objects, and one graph of them with everything that stands on
 * them. The objects say what exists, also what is removed; the closure of each bus, which a dry run
 * tells, says who uses it. */

#include "bus.h"
#include "ctl.h"
#include "kinds.h"

void devices_free(Dict **devices, size_t n)
{
        for (size_t i = 0; i < n; i++)
                dict_free(devices[i]);
        free(devices);
}

/* One interface of one object: is it a device, read it. */
static int interface_read(Dict *d, sd_bus_message *m, bool *ret_is_device)
{
        const char *interface;
        int r;

        r = sd_bus_message_read_basic(m, 's', &interface);
        if (r < 0)
                return r;
        if (!streq(interface, BUS_INTERFACE_DEVICE))
                return sd_bus_message_skip(m, "a{sv}");
        *ret_is_device = true;
        return dict_read(d, m);
}

static int object_read(Dict *d, sd_bus_message *m, bool *ret_is_device)
{
        int r;

        r = dict_read_value(d, "path", m, "o");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                r = interface_read(d, m, ret_is_device);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int object_append(Ctl *c, sd_bus_message *m, Dict ***devices, size_t *n)
{
        _cleanup_(dict_freep) Dict *d = dict_new(c);
        bool is_device = false;
        Dict **grown;
        int r;

        if (!d)
                return -ENOMEM;
        r = object_read(d, m, &is_device);
        if (r < 0 || !is_device)
                return r;
        grown = reallocarray(*devices, *n + 1, sizeof(Dict *));
        if (!grown)
                return -ENOMEM;
        *devices = grown;
        grown[(*n)++] = TAKE_PTR(d);
        return 0;
}

int devices_load(Ctl *c, Dict ***ret, size_t *ret_n)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        Dict **devices = NULL;
        size_t n = 0;
        int r, status;

        r = bus_message_new(c, NULL, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &m);
        if (r < 0)
                return ctl_fail(c, "device list", NULL, r);
        status = bus_call(c, "device list", m, 0, &reply);
        if (status != 0)
                return status;
        r = sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}")) > 0) {
                r = object_append(c, reply, &devices, &n);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        if (r < 0) {
                devices_free(devices, n);
                return ctl_fail(c, "device list", NULL, r);
        }
        *ret = devices;
        *ret_n = n;
        return 0;
}

static const Dict *device_find(Dict **devices, size_t n, const char *path)
{
        for (size_t i = 0; i < n; i++)
                if (streq(dict_string(devices[i], "path"), path))
                        return devices[i];
        return NULL;
}

static int device_describe(Node *n, const Dict *d)
{
        static const char *const keys[] = { "size", "mode", "numa", "can-remove", "removal" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const char *value = dict_string(d, keys[i]);
                int r;

                if (!value[0] || node_get(n, keys[i]))
                        continue;
                r = node_set(n, keys[i], value);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A lower node has to come first, so the chain of parents is added from its end. depth ends a chain
 * that bites its own tail. */
static int device_add(Graph *g, Dict **devices, size_t n, const Dict *d, size_t depth, Node **ret)
{
        const Dict *parent = device_find(devices, n, dict_string(d, "parent"));
        const char *kind = dict_string(d, "kind"), *name = dict_string(d, "name");
        Node *node = graph_find(g, kind, name), *lower = NULL;
        int r;

        if (!node && parent && depth > 0) {
                r = device_add(g, devices, n, parent, depth - 1, &lower);
                if (r < 0)
                        return r;
        }
        if (!node) {
                r = graph_add(g, kind, name, &node);
                if (r < 0)
                        return r;
        }
        *ret = node;
        r = device_describe(node, d);
        if (r < 0 || !lower)
                return r;
        return graph_link(node, lower);
}

static int graph_copy_node(Graph *to, const Node *from)
{
        Node *n;
        int r;

        r = graph_add(to, node_kind(from), node_name(from), &n);
        if (r == -EEXIST)
                return 0;
        if (r < 0)
                return r;
        for (size_t i = 0; i < from->record->n_fields; i++) {
                r = node_set(n, from->record->fields[i].key, from->record->fields[i].value);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < from->n_lower; i++) {
                Node *lower = graph_find(to, node_kind(from->lower[i]), node_name(from->lower[i]));

                if (!lower)
                        continue;
                r = graph_link(n, lower);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What the dry run of one bus knows comes first, because it is ordered and complete. A bus that
 * cannot be looked into is said and does not hide the others. */
static int graph_add_closure(Ctl *c, Graph *g, const char *bus, int *status)
{
        _cleanup_(dict_freep) Dict *plan = NULL;
        const Value *holders;
        int r;

        r = plan_load(c, bus, NULL, &plan);
        *status = *status ?: r;
        if (!plan)
                return 0;
        holders = dict_get(plan, "holders");
        for (size_t i = 0; holders && holders->graph && i < holders->graph->n_nodes; i++) {
                r = graph_copy_node(g, holders->graph->nodes[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int graph_fill(Ctl *c, Graph *g, Dict **devices, size_t n, int *status)
{
        Node *node;
        int r;

        for (size_t i = 0; i < n; i++) {
                if (!streq(dict_string(devices[i], "kind"), KIND_BUS))
                        continue;
                r = graph_add_closure(c, g, dict_string(devices[i], "name"), status);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n; i++) {
                r = device_add(g, devices, n, devices[i], n, &node);
                if (r < 0)
                        return r;
        }
        return 0;
}

int devices_graph(Ctl *c, Graph **ret)
{
        _cleanup_(graph_freep) Graph *g = graph_new();
        Dict **devices;
        size_t n;
        int r, status;

        if (!g)
                return ctl_fail(c, "device list", NULL, -ENOMEM);
        status = devices_load(c, &devices, &n);
        if (status != 0)
                return status;
        r = graph_fill(c, g, devices, n, &status);
        devices_free(devices, n);
        if (r < 0)
                return ctl_fail(c, "device list", NULL, r);
        *ret = TAKE_PTR(g);
        return status;
}
