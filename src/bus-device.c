/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.pmemremoved1.Device, one object per bus, dimm, region and namespace. Read only. */

#include "bus-append.h"
#include "bus-objects.h"
#include "bus.h"
#include "util/text.h"

static int get_holders(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const Device *d = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(ss)");
        for (char **h = d->holders; h && h[0] && h[1] && r >= 0; h += 2)
                r = bus_append(reply, "(ss)", h[0], h[1]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_mounts(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        return bus_append_strv(reply, ((const Device *)userdata)->mounts);
}

static int get_children(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const Device *d = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "o");
        for (char **c = d->children; c && *c && r >= 0; c++)
                r = bus_append(reply, "o", *c);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* The only property that is not part of the snapshot. */
static int get_removal(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const Device *d = userdata;
        const Removal *r = manager_removal_of(d->manager, d->name);

        return bus_append(reply, "o", r ? r->path : "/");
}

#define FIXED(name, type, get, offset)                                                             \
        SD_BUS_PROPERTY(name, type, get, offset, SD_BUS_VTABLE_PROPERTY_CONST)
#define CHANGING(name, type, get, offset)                                                          \
        SD_BUS_PROPERTY(name, type, get, offset, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

const sd_bus_vtable bus_device_vtable[] = {
        SD_BUS_VTABLE_START(0),
        FIXED("Name", "s", NULL, offsetof(Device, name)),
        FIXED("Kind", "s", NULL, offsetof(Device, kind)),
        CHANGING("SysfsPath", "s", NULL, offsetof(Device, sysfs)),
        CHANGING("Parent", "o", NULL, offsetof(Device, parent)),
        CHANGING("Children", "ao", get_children, 0),
        CHANGING("Mode", "s", NULL, offsetof(Device, mode)),
        CHANGING("Size", "t", NULL, offsetof(Device, size)),
        CHANGING("BlockDevice", "s", NULL, offsetof(Device, block)),
        CHANGING("Mounts", "as", get_mounts, 0),
        CHANGING("Holders", "a(ss)", get_holders, 0),
        CHANGING("CanRemove", "s", NULL, offsetof(Device, can_remove)),
        CHANGING("Removal", "o", get_removal, 0),
        CHANGING("Numa", "i", NULL, offsetof(Device, numa)),
        SD_BUS_VTABLE_END,
};

static int find_object(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret, sd_bus_error *error)
{
        Device *d = device_table_find_path(((Manager *)userdata)->devices, path);

        if (!d)
                return 0;
        d->manager = userdata;
        *ret = d;
        return 1;
}

static int enumerate(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error)
{
        _cleanup_(strv_freep) char **paths = NULL;
        const DeviceTable *t = ((Manager *)userdata)->devices;

        for (size_t i = 0; t && i < t->n; i++) {
                int r = strv_append(&paths, t->items[i]->path);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(paths);
        return 1;
}

int bus_device_add(Manager *m)
{
        int r;

        r = sd_bus_add_fallback_vtable(m->bus, NULL, BUS_PATH_DEVICE, BUS_INTERFACE_DEVICE,
                bus_device_vtable, find_object, m);
        if (r < 0)
                return r;
        r = sd_bus_add_node_enumerator(m->bus, NULL, BUS_PATH_DEVICE, enumerate, m);
        return r < 0 ? r : 0;
}
