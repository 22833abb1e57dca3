/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The interfaces as XML, straight from the vtables and without a bus: what is installed under
 * dbus-1/interfaces, and what the documentation is checked against. */

#include "bus-objects.h"
#include "bus.h"

/* Length of the first complete type of a signature. */
static size_t type_length(const char *s)
{
        char close = *s == '(' ? ')' : '}';
        size_t n = 1, depth = 1;

        if (*s == 'a')
                return 1 + type_length(s + 1);
        if (*s != '(' && *s != '{')
                return *s ? 1 : 0;
        while (depth > 0 && s[n]) {
                if (s[n] == *s)
                        depth++;
                if (s[n] == close)
                        depth--;
                n++;
        }
        return n;
}

/* Names are one string each, one after the other; *names moves on. */
static void print_args(FILE *f, const char *signature, const char *direction, const char **names)
{
        while (signature && *signature) {
                size_t n = type_length(signature);

                (void)fprintf(f, "      <arg type=\"%.*s\"", (int)n, signature);
                if (*names && **names) {
                        (void)fprintf(f, " name=\"%s\"", *names);
                        *names += strlen(*names) + 1;
                }
                if (direction)
                        (void)fprintf(f, " direction=\"%s\"", direction);
                (void)fprintf(f, "/>\n");
                signature += n;
        }
}

static void print_method(FILE *f, const sd_bus_vtable *v)
{
        const char *names = v->x.method.names;

        (void)fprintf(f, "    <method name=\"%s\">\n", v->x.method.member);
        print_args(f, v->x.method.signature, "in", &names);
        print_args(f, v->x.method.result, "out", &names);
        (void)fprintf(f, "    </method>\n");
}

static void print_signal(FILE *f, const sd_bus_vtable *v)
{
        const char *names = v->x.signal.names;

        (void)fprintf(f, "    <signal name=\"%s\">\n", v->x.signal.member);
        print_args(f, v->x.signal.signature, NULL, &names);
        (void)fprintf(f, "    </signal>\n");
}

static void print_property(FILE *f, const sd_bus_vtable *v)
{
        const char *emits = v->flags & SD_BUS_VTABLE_PROPERTY_CONST          ? "const"
                            : v->flags & SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE ? "true"
                                                                             : "false";

        (void)fprintf(f,
                "    <property name=\"%s\" type=\"%s\" access=\"read\">\n"
                "      <annotation name=\"org.freedesktop.DBus.Property.EmitsChangedSignal\" "
                "value=\"%s\"/>\n"
                "    </property>\n",
                v->x.property.member, v->x.property.signature, emits);
}

static void print_interface(FILE *f, const char *name, const sd_bus_vtable *vtable)
{
        (void)fprintf(f, "  <interface name=\"%s\">\n", name);
        for (const sd_bus_vtable *v = vtable; v->type != _SD_BUS_VTABLE_END; v++)
                switch (v->type) {
                case _SD_BUS_VTABLE_METHOD:
                        print_method(f, v);
                        break;
                case _SD_BUS_VTABLE_SIGNAL:
                        print_signal(f, v);
                        break;
                case _SD_BUS_VTABLE_PROPERTY:
                        print_property(f, v);
                        break;
                default:
                        break;
                }
        (void)fprintf(f, "  </interface>\n");
}

int bus_introspect(FILE *f)
{
        (void)fprintf(f,
                "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
                " \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n");
        print_interface(f, BUS_INTERFACE_MANAGER, bus_manager_vtable);
        print_interface(f, BUS_INTERFACE_REMOVAL, bus_removal_vtable);
        print_interface(f, BUS_INTERFACE_DEVICE, bus_device_vtable);
        (void)fprintf(f, "</node>\n");
        return fflush(f) != 0 ? -errno : 0;
}
