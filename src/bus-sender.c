/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bus is asked about a sender on a connection of its own. On the connection that takes calls,
 * libsystemd reads everything that lies before the answer into memory (252: sd_bus_call()), and
 * counts messages, not bytes (bus-internal.h, BUS_RQUEUE_MAX): behind many small questions a few
 * hundred big ones would fill the machine, which the bus daemon's limits otherwise prevent.
 *
 * Nobody has a reason to send anything to this connection, but anybody may: a system bus lets all
 * signals pass. One that was sent more than the bus itself says is closed, and what it had read is
 * gone with it. */

#include "bus-sender.h"

#include <malloc.h>

#include "util/text.h"

/* The bus daemon is quick, or nobody has a bus. */
#define ANSWER_USEC (2 * USEC_PER_SEC)
/* NameAcquired is one. */
#define STRAY_MAX 16

static int open_side(Manager *m)
{
        int r;

        if (m->side_bus && sd_bus_is_open(m->side_bus) > 0)
                return 0;
        m->side_bus = sd_bus_close_unref(m->side_bus);
        r = sd_bus_open_system_with_description(&m->side_bus, "pmemremoved-side");
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(m->side_bus, ANSWER_USEC);
        if (r < 0)
                m->side_bus = sd_bus_close_unref(m->side_bus);
        return r < 0 ? r : 0;
}

static void close_side(Manager *m)
{
        m->side_bus = sd_bus_close_unref(m->side_bus);
        /* Nothing else in the daemon is as big. */
        (void)malloc_trim(0);
}

static void drain_side(Manager *m)
{
        for (unsigned i = 0; i < STRAY_MAX; i++)
                if (sd_bus_process(m->side_bus, NULL) <= 0)
                        return;
        close_side(m);
}

/* -ENXIO: nobody has that name any more. */
static int ask_side(Manager *m, const char *sender, uint64_t mask, sd_bus_creds **ret)
{
        int r;

        r = open_side(m);
        if (r < 0)
                return r;
        r = sd_bus_get_name_creds(m->side_bus, sender, mask, ret);
        drain_side(m);
        return r < 0 ? r : 0;
}

int bus_sender_creds(Manager *m, sd_bus_message *msg, uint64_t mask, sd_bus_creds **ret)
{
        const char *sender = sd_bus_message_get_sender(msg);
        int r;

        if (!sender)
                return -ENXIO;
        r = ask_side(m, sender, mask, ret);
        if (r >= 0 || r == -ENXIO)
                return r;
        /* The answer lies behind what somebody sent, or the connection is gone. */
        close_side(m);
        return ask_side(m, sender, mask, ret);
}

int bus_sender_uid(Manager *m, sd_bus_message *msg, uid_t *ret)
{
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        int r;

        r = bus_sender_creds(m, msg, SD_BUS_CREDS_EUID, &creds);
        return r < 0 ? r : sd_bus_creds_get_euid(creds, ret);
}
