/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connection and name. Objects are there before the name is: whoever finds the name finds a
 * complete service. */

#include <systemd/sd-daemon.h>

#include "bus-error.h"
#include "bus-objects.h"
#include "bus.h"
#include "manager-shutdown.h"
#include "manager-watch.h"
#include "util/log.h"

/* Nobody can ask or cancel any more. What runs is taken back or finished, then systemd starts us
 * anew (Restart=on-failure). */
static int on_disconnected(sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
        Manager *m = userdata;

        m->exit_code = EXIT_FAILURE;
        manager_stop(m, "the bus connection is gone");
        return 0;
}

static int add_objects(Manager *m)
{
        int r;

        r = sd_bus_add_object_manager(m->bus, NULL, BUS_PATH);
        if (r < 0)
                return r;
        r = bus_manager_add(m);
        if (r == 0)
                r = bus_device_add(m);
        if (r == 0)
                r = bus_removal_add(m);
        if (r == 0)
                r = bus_logcontrol_add(m);
        return r;
}

int manager_bus_open(Manager *m)
{
        int r;

        r = bus_error_register();
        if (r < 0)
                return r;
        r = sd_bus_open_system_with_description(&m->bus, "pmemremoved");
        if (r < 0)
                return r;
        r = add_objects(m);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(m->bus, NULL, "org.freedesktop.DBus.Local", NULL,
                "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, m);
        if (r < 0)
                return r;
        r = shutdown_watch(m, &m->shutdown);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(m->bus, m->event, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r : 0;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Manager *m = userdata;
        uint32_t answer = 0;
        int r;

        if (sd_bus_message_is_method_error(reply, NULL)) {
                log_error("The bus does not give us the name " BUS_NAME ": %s",
                        strna(sd_bus_message_get_error(reply)->message));
                return sd_event_exit(m->event, EXIT_FAILURE);
        }
        r = sd_bus_message_read(reply, "u", &answer);
        /* 1: ours, 4: ours already (D-Bus specification, RequestName). */
        if (r < 0 || (answer != 1 && answer != 4)) {
                log_error("The name " BUS_NAME " is taken: another pmemremoved runs already.");
                return sd_event_exit(m->event, EXIT_FAILURE);
        }
        m->owns_name = true;
        for (size_t i = 0; i < m->n_removals; i++)
                removal_tell_held_back(m->removals[i]);
        (void)sd_notify(false, "READY=1");
        /* Without memory nobody waits for the first look at the machine; it comes after the start.
         */
        if (!m->devices)
                watch_kick(m->watch);
        log_debug("Ready.");
        return 0;
}

int manager_bus_name(Manager *m)
{
        int r;

        m->name_timer = sd_event_source_disable_unref(m->name_timer);
        if (m->named)
                return 0;
        m->named = true;
        r = sd_bus_request_name_async(m->bus, NULL, BUS_NAME, 0, on_name, m);
        if (r < 0) {
                log_error("The bus name cannot be asked for: %s", strerror(-r));
                return sd_event_exit(m->event, EXIT_FAILURE);
        }
        return 0;
}
