/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each method with each argument of each other type, from what the daemon says of itself. */

#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const wrong_types[] = { "y", "b", "n", "q", "i", "u", "x", "t", "d", "s", "o",
        "g", "v", "as", "ay", "a{sv}", "(ss)", "a(sv)", "av" };

static void append_value(sd_bus_message *m, const char *type)
{
        static const uint64_t one = 1;
        int r = 0;

        if (strchr("sog", *type))
                r = sd_bus_message_append_basic(m, *type, *type == 'o' ? "/a" : "s");
        else if (*type == 'v')
                r = sd_bus_message_append(m, "v", "s", "x");
        else if (*type == '(')
                r = sd_bus_message_append(m, "(ss)", "a", "b");
        else if (*type == 'a') {
                r = sd_bus_message_open_container(m, 'a', type + 1);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        } else
                r = sd_bus_message_append_basic(m, *type, &one);
        if (r < 0)
                exit(2);
}

static void append_values(sd_bus_message *m, const char *types)
{
        char one[64];
        size_t n;

        for (; *types; types += n) {
                n = strncmp(types, "a{", 2) == 0 || strncmp(types, "a(", 2) == 0 ? 5
                    : *types == '('                                              ? 4
                    : *types == 'a'                                              ? 2
                                                                                 : 1;
                (void)snprintf(one, sizeof(one), "%.*s", (int)n, types);
                append_value(m, one);
        }
}

static void call_wrong(sd_bus *bus, const char *path, const char *interface, const char *member,
        const char *types, const char *right)
{
        char what[1280];
        sd_bus_message *m;

        if (streq(types, right))
                return;
        if (sd_bus_message_new_method_call(bus, &m, BUS_NAME, path, interface, member) < 0)
                exit(2);
        append_values(m, types);
        (void)snprintf(what, sizeof(what), "%s with (%s) for (%s)", member, types, right);
        must_fail(bus, m, what);
}

/* One argument is of another type, one is missing, one is too many. */
static void twist(sd_bus *bus, const char *path, const char *interface, const char *member,
        char args[][32], unsigned n)
{
        char right[256] = "", types[512];

        for (unsigned i = 0; i < n; i++)
                strcat(right, args[i]);
        for (unsigned at = 0; at <= n; at++)
                for (unsigned w = 0; w <= ELEMENTSOF(wrong_types); w++) {
                        *types = '\0';
                        for (unsigned i = 0; i < n; i++)
                                if (i != at)
                                        strcat(types, args[i]);
                                else if (w < ELEMENTSOF(wrong_types))
                                        strcat(types, wrong_types[w]);
                        if (at == n && w < ELEMENTSOF(wrong_types))
                                strcat(types, wrong_types[w]);
                        call_wrong(bus, path, interface, member, types, right);
                }
}

static const char *attribute(const char *tag, const char *name, char buf[static 64])
{
        char key[32];
        const char *p, *end = strchr(tag, '>');

        (void)snprintf(key, sizeof(key), " %s=\"", name);
        p = strstr(tag, key);
        *buf = '\0';
        if (p && end && p < end)
                (void)snprintf(
                        buf, 64, "%.*s", (int)strcspn(p + strlen(key), "\""), p + strlen(key));
        return buf;
}

/* Writes it with the type it has: what is read only is refused, and so is every stranger. */
static void write_property(
        sd_bus *bus, const char *path, const char *interface, const char *name, const char *type)
{
        sd_bus_message *m;

        if (strlen(type) > 2 && !streq(type, "a{sv}"))
                type = "s";
        if (sd_bus_message_new_method_call(
                    bus, &m, BUS_NAME, path, "org.freedesktop.DBus.Properties", "Set") < 0 ||
                sd_bus_message_append(m, "ss", interface, name) < 0 ||
                sd_bus_message_open_container(m, 'v', type) < 0)
                exit(2);
        append_value(m, type);
        (void)sd_bus_message_close_container(m);
        must_fail(bus, m, name);
}

static void twist_all(sd_bus *bus, const char *path, const char *xml)
{
        char interface[64] = "", member[64] = "", buf[64], args[8][32];
        unsigned n = 0;

        for (const char *p = xml; (p = strchr(p, '<')); p++) {
                if (strncmp(p, "<interface ", 11) == 0)
                        (void)attribute(p, "name", interface);
                else if (strncmp(p, "<method ", 8) == 0) {
                        (void)attribute(p, "name", member);
                        n = 0;
                } else if (strncmp(p, "<arg ", 5) == 0 &&
                           streq(attribute(p, "direction", buf), "in") && n < ELEMENTSOF(args)) {
                        (void)snprintf(args[n++], sizeof(args[0]), "%s", attribute(p, "type", buf));
                } else if (strncmp(p, "</method>", 9) == 0 &&
                           strncmp(interface, "org.freedesktop.DBus", 20) != 0)
                        twist(bus, path, interface, member, args, n);
                else if (strncmp(p, "<property ", 10) == 0) {
                        char name[64];

                        write_property(bus, path, interface, attribute(p, "name", name),
                                attribute(p, "type", buf));
                }
        }
}

static char *introspect(sd_bus *bus, const char *path)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *xml;

        if (sd_bus_call_method(bus, BUS_NAME, path, "org.freedesktop.DBus.Introspectable",
                    "Introspect", NULL, &reply, "") < 0 ||
                sd_bus_message_read(reply, "s", &xml) < 0)
                exit(2);
        return strdup(xml);
}

void attack_types(sd_bus *bus)
{
        static const char *const paths[] = { BUS_PATH, BUS_PATH "/device/region0",
                "/org/freedesktop/LogControl1", NULL };
        static const char *const options[] = { "mode", "dry-run", "reason", "transaction-id",
                "plan-id", "timeout-usec", "hold-before-commit", "confirm-timeout-usec", "eject",
                "ignore-inhibitors", "override", "bind-to-caller" };

        for (unsigned i = 0; paths[i]; i++) {
                _cleanup_(freep) char *xml = introspect(bus, paths[i]);

                twist_all(bus, paths[i], xml);
        }
        for (unsigned i = 0; i < ELEMENTSOF(options); i++)
                for (unsigned w = 0; w < ELEMENTSOF(wrong_types); w++) {
                        sd_bus_message *m = message(bus, "RequestRemove");

                        (void)sd_bus_message_append(m, "s", "nowhere");
                        (void)sd_bus_message_open_container(m, 'a', "{sv}");
                        (void)sd_bus_message_open_container(m, 'e', "sv");
                        (void)sd_bus_message_append(m, "s", options[i]);
                        (void)sd_bus_message_open_container(m, 'v', wrong_types[w]);
                        append_value(m, wrong_types[w]);
                        for (unsigned k = 0; k < 3; k++)
                                (void)sd_bus_message_close_container(m);
                        must_fail(bus, m, options[i]);
                }
}
