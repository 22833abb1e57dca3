/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hostile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

sd_bus *connect_as(uid_t uid)
{
        sd_bus *bus = NULL;

        if (uid != 0 && (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
                exit(2);
        if (sd_bus_open_system(&bus) < 0) {
                fprintf(stderr, "hostile: no bus for uid %u\n", uid);
                exit(2);
        }
        return bus;
}

sd_bus_message *message(sd_bus *bus, const char *member)
{
        sd_bus_message *m = NULL;

        if (sd_bus_message_new_method_call(
                    bus, &m, BUS_NAME, BUS_PATH, BUS_INTERFACE_MANAGER, member) < 0)
                exit(2);
        return m;
}

void odd(const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        if (!*figures->odd)
                (void)vsnprintf(figures->odd, sizeof(figures->odd), fmt, ap);
        va_end(ap);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        unsigned *open = userdata;

        (*open)--;
        __atomic_add_fetch(&figures->answers, 1, __ATOMIC_RELAXED);
        if (sd_bus_message_is_method_error(reply, NULL))
                __atomic_add_fetch(&figures->errors, 1, __ATOMIC_RELAXED);
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY))
                odd("a call was never answered");
        return 0;
}

void throw(sd_bus * bus, sd_bus_message *m, unsigned *open, unsigned window)
{
        int r;

        __atomic_add_fetch(&figures->calls, 1, __ATOMIC_RELAXED);
        r = sd_bus_call_async(bus, NULL, m, on_answer, open, ATTACK_USEC);
        sd_bus_message_unref(m);
        if (r < 0)
                exit(3);
        (*open)++;
        while (*open > window) {
                r = sd_bus_process(bus, NULL);
                if (r < 0)
                        exit(3);
                if (r == 0)
                        (void)sd_bus_wait(bus, USEC_PER_SEC);
        }
}

void finish(sd_bus *bus, unsigned *open)
{
        while (*open > 0) {
                int r = sd_bus_process(bus, NULL);

                if (r < 0)
                        exit(3);
                if (r == 0)
                        (void)sd_bus_wait(bus, USEC_PER_SEC);
        }
}

void must_fail(sd_bus *bus, sd_bus_message *m, const char *what)
{
        _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;

        figures->calls++;
        if (sd_bus_call(bus, m, SERVED_USEC, &e, NULL) >= 0)
                odd("%s is accepted", what);
        else if (sd_bus_error_has_name(&e, SD_BUS_ERROR_NO_REPLY) ||
                 sd_bus_error_has_name(&e, SD_BUS_ERROR_TIMEOUT))
                odd("%s is never answered", what);
        figures->answers++;
        figures->errors++;
        sd_bus_message_unref(m);
}

sd_bus_message *request(sd_bus *bus, const char *member, const char *target, const char *reason)
{
        sd_bus_message *m = message(bus, member);

        if (sd_bus_message_append(m, "sa{sv}", target, 1, "reason", "s", reason) < 0)
                exit(2);
        return m;
}

void call_once(sd_bus *bus)
{
        unsigned open = 0;

        sd_bus_message *m = message(bus, "ResolveTarget");

        /* Also makes the objects. */
        (void)sd_bus_message_append(m, "s", "region0");
        throw(bus, m, &open, 0);
}

void send_only(sd_bus *bus, sd_bus_message *m)
{
        int r;

        (void)sd_bus_message_set_expect_reply(m, false);
        figures->calls++;
        r = sd_bus_send(bus, m, NULL);
        sd_bus_message_unref(m);
        if (r >= 0)
                r = sd_bus_flush(bus);
        if (r < 0)
                exit(3);
}
