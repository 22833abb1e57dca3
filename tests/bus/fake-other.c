/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pmemremoved of another version on a test bus: it knows one property, and answers one method
 * with more than the client expects. */

#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "bus.h"

static int list(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        return sd_bus_reply_method_return(m, "a(tossst)", 0);
}

static int version(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        return sd_bus_message_append(reply, "s", "99");
}

static const sd_bus_vtable manager[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_METHOD("ListRemovals", "", "a(tossst)", list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int main(void)
{
        sd_event *event = NULL;
        sd_bus *bus = NULL;

        if (sd_event_default(&event) < 0 || sd_bus_open_system(&bus) < 0 ||
                sd_bus_add_object_vtable(
                        bus, NULL, BUS_PATH, BUS_INTERFACE_MANAGER, manager, NULL) < 0 ||
                sd_bus_request_name(bus, BUS_NAME, 0) < 0 || sd_bus_attach_event(bus, event, 0) < 0)
                return EXIT_FAILURE;
        return sd_event_loop(event) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
