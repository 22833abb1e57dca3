/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* Whether a signal came by way of our match, which the bus holds against its sender. One that was
 * sent to us alone needs no match, anybody may send it (the default of dbus-daemon's system.conf),
 * and sd-bus takes every unique name for the well-known one of the match (value_node_test(),
 * bus-match.c, 252 to 257): logind, the service manager and the bus itself send us none of those.
 */
static inline bool is_broadcast(sd_bus_message *m)
{
        return !sd_bus_message_get_destination(m);
}
