/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.pmemremoved1.Manager. */

#include "bus-append.h"
#include "bus-calls.h"
#include "bus-error.h"
#include "bus-objects.h"
#include "bus.h"
#include "util/text.h"

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        return bus_append(reply, "s", PACKAGE_VERSION);
}

static int get_pre_remove(sd_bus *bus, const char *path, const char *interface,
        const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const DeviceTable *t = ((Manager *)userdata)->devices;

        return bus_append(reply, "(ss)", t ? t->pre_remove : "unknown",
                t ? t->pre_remove_why : "nobody has looked yet");
}

int call_list_removals(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(msg, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(tosss)");
        for (size_t i = 0; i < m->n_removals && r >= 0; i++) {
                const Removal *o = m->removals[i];

                r = bus_append(reply, "(tosss)", o->id, o->path, o->request->target,
                        removal_state_to_string(o->state), strempty(o->result));
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int call_reload(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        Failure f = { 0 };

        if (manager_reload(m, &f) < 0)
                return bus_error_set(error, &f);
        return sd_bus_reply_method_return(msg, NULL);
}

const sd_bus_vtable bus_manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("RequestRemove", SD_BUS_ARGS("s", target, "a{sv}", options),
                SD_BUS_RESULT("o", removal), bus_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("PlanRemove", SD_BUS_ARGS("s", target, "a{sv}", options),
                SD_BUS_RESULT("a{sv}", plan), bus_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ResolveTarget", SD_BUS_ARGS("s", target),
                SD_BUS_RESULT("o", device), bus_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inhibit", SD_BUS_ARGS("s", target, "s", who, "s", why, "s", mode),
                SD_BUS_RESULT("h", lock), bus_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListInhibitors", SD_BUS_NO_ARGS,
                SD_BUS_RESULT("a(ssssuu)", inhibitors), bus_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListRemovals", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(tosss)", removals),
                bus_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY(
                "KernelPreRemove", "(ss)", get_pre_remove, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("InhibitorsMax", "u", get_inhibitors_max, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("NCurrentInhibitors", "u", get_n_inhibitors, 0,
                SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY(
                "BlockInhibited", "as", get_inhibited, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY(
                "DelayInhibited", "as", get_inhibited, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_SIGNAL_WITH_ARGS("PrepareForRemoval",
                SD_BUS_ARGS("o", device, "o", removal, "b", start, "a{sv}", details), 0),
        SD_BUS_SIGNAL_WITH_ARGS("RemovalNew", SD_BUS_ARGS("t", id, "o", removal, "s", target), 0),
        SD_BUS_SIGNAL_WITH_ARGS(
                "RemovalFinished", SD_BUS_ARGS("o", removal, "s", result, "a{sv}", details), 0),
        SD_BUS_SIGNAL_WITH_ARGS(
                "ProcessKilled", SD_BUS_ARGS("o", removal, "u", pid, "s", unit, "s", reason), 0),
        SD_BUS_SIGNAL_WITH_ARGS("DeviceRemoved", SD_BUS_ARGS("o", device, "s", how), 0),
        SD_BUS_VTABLE_END,
};

int bus_manager_add(Manager *m)
{
        int r;

        r = sd_bus_add_object_vtable(
                m->bus, NULL, BUS_PATH, BUS_INTERFACE_MANAGER, bus_manager_vtable, m);
        return r < 0 ? r : 0;
}
