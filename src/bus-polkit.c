/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may call what: the table, and the way of every call through it. How polkit is asked is
 * bus-authorize.c. */

#include "bus-polkit.h"

#include "bus-calls.h"
#include "bus-sender.h"
#include "bus.h"
#include "util/text.h"

static const char *const actions[] = { POLKIT_REMOVE, POLKIT_REMOVE_FORCED,
        POLKIT_REMOVE_IGNORE_INHIBIT, POLKIT_CANCEL_OTHER, POLKIT_INHIBIT_BLOCK,
        POLKIT_INHIBIT_DELAY, POLKIT_MANAGE };

const char *bus_polkit_action(size_t i)
{
        return i < ELEMENTSOF(actions) ? actions[i] : NULL;
}

static const BusMethod methods[] = {
        { BUS_INTERFACE_MANAGER, "RequestRemove", call_request_remove, NULL, NULL, .later = true },
        { BUS_INTERFACE_MANAGER, "PlanRemove", call_plan_remove, NULL, NULL },
        { BUS_INTERFACE_MANAGER, "ResolveTarget", call_resolve_target, NULL, NULL },
        { BUS_INTERFACE_MANAGER, "Inhibit", call_inhibit, NULL, choose_inhibit },
        { BUS_INTERFACE_MANAGER, "ListInhibitors", call_list_inhibitors, NULL, NULL },
        { BUS_INTERFACE_MANAGER, "ListRemovals", call_list_removals, NULL, NULL },
        { BUS_INTERFACE_MANAGER, "Reload", call_reload, POLKIT_MANAGE, NULL },
        { BUS_INTERFACE_REMOVAL, "Cancel", call_cancel, NULL, choose_own_removal },
        { BUS_INTERFACE_REMOVAL, "Confirm", call_confirm, NULL, choose_own_removal },
        { BUS_INTERFACE_REMOVAL, "Extend", call_extend, NULL, choose_own_removal },
        { BUS_INTERFACE_REMOVAL, "Wait", call_wait, NULL, NULL },
};

const BusMethod *bus_method_at(size_t i)
{
        return i < ELEMENTSOF(methods) ? &methods[i] : NULL;
}

bool bus_method_asks(const BusMethod *method)
{
        return method->action || method->choose || method->later;
}

const BusMethod *bus_method_find(const char *interface, const char *member)
{
        for (size_t i = 0; i < ELEMENTSOF(methods); i++)
                if (streq(methods[i].interface, interface) && streq(methods[i].member, member))
                        return &methods[i];
        return NULL;
}

int bus_denied(sd_bus_error *error, const char *action, const char *why)
{
        return sd_bus_error_setf(
                error, SD_BUS_ERROR_ACCESS_DENIED, "%s needs authorisation: %s", action, why);
}

static int call_handler(
        const BusMethod *method, Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        int r;

        r = sd_bus_message_rewind(msg, true);
        return r < 0 ? r : method->handler(m, msg, error);
}

static int on_allowed(Manager *m, sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
        return call_handler(userdata, m, msg, error);
}

static int find_needs(const BusMethod *method, Manager *m, sd_bus_message *msg, uid_t uid,
        BusNeeds *needs, sd_bus_error *error)
{
        if (method->choose)
                return method->choose(m, msg, uid, needs, error);
        needs->actions[needs->n_actions++] = method->action;
        return 0;
}

int bus_dispatch(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        /* D-Bus lets a caller leave the interface out; such a call finds no row. */
        const BusMethod *method = bus_method_find(strempty(sd_bus_message_get_interface(msg)),
                strempty(sd_bus_message_get_member(msg)));
        const BusAllowed allowed = { .call = on_allowed, .userdata = (void *)method };
        BusNeeds needs = { 0 };
        uid_t uid;
        int r;

        if (!method)
                return bus_denied(
                        error, strempty(sd_bus_message_get_member(msg)), "nobody may call this");
        if (!bus_method_asks(method) || method->later)
                return call_handler(method, m, msg, error);
        r = bus_sender_uid(m, msg, &uid);
        if (r < 0)
                return bus_denied(error, method->member, "the caller is unknown");
        r = find_needs(method, m, msg, uid, &needs, error);
        if (r >= 0)
                /* polkit says yes to root whatever its rules are; asking would only make root
                 * depend on polkit. */
                r = uid == 0 ? call_handler(method, m, msg, error)
                             : bus_authorize(m, msg, uid, &needs, &allowed, error);
        bus_needs_done(&needs);
        return r;
}

int bus_method(sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
        return bus_dispatch(userdata, msg, error);
}
