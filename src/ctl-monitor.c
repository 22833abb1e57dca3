/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* monitor: everything the daemon announces, one line each, until Ctrl-C. A line is a Record, so
 * whatever a name contains it stays one line; with --json it is an object. */

#include <time.h>

#include "bus.h"
#include "ctl.h"
#include "util/broadcast.h"

typedef struct Event {
        const char *member, *word;
        struct {
                const char *key, *type;
        } fields[5];
} Event;

/* clang-format off */
static const Event events[] = {
        { "RemovalNew", "removal-new",
          { { "id", "t" }, { "removal", "o" }, { "target", "s" } } },
        { "RemovalFinished", "removal-finished",
          { { "removal", "o" }, { "result", "s" }, { "details", "a{sv}" } } },
        { "ProcessKilled", "process-killed",
          { { "removal", "o" }, { "pid", "u" }, { "unit", "s" }, { "reason", "s" } } },
        { "PrepareForRemoval", "prepare-for-removal",
          { { "device", "o" }, { "removal", "o" }, { "start", "b" }, { "details", "a{sv}" } } },
        { "DeviceRemoved", "device-removed",
          { { "device", "o" }, { "how", "s" } } },
        { "NameOwnerChanged", "daemon",
          { { "name", "s" }, { "old-owner", "s" }, { "new-owner", "s" } } },
};
/* clang-format on */

static const char *const matches[] = {
        "type='signal',sender='" BUS_NAME "',interface='" BUS_INTERFACE_MANAGER "'",
        "type='signal',sender='" BUS_NAME "',path_namespace='" BUS_PATH_REMOVAL "',"
        "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
        "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" BUS_NAME "'",
};

static int event_print_json(Ctl *c, const char *stamp, const char *word, const Dict *d)
{
        Document doc;
        int r;

        r = document_open(&doc);
        if (r < 0)
                return r;
        json_open(&doc.json, NULL, '{');
        json_string(&doc.json, "time", stamp);
        json_string(&doc.json, "event", word);
        json_dict(&doc.json, d);
        json_close(&doc.json, '}');
        return document_close(&doc, c);
}

static int event_print_line(const char *stamp, const char *word, const Dict *d)
{
        _cleanup_(record_freep) Record *record = record_new(word, NULL);
        _cleanup_(freep) char *line = NULL;
        int r;

        if (!record)
                return -ENOMEM;
        for (size_t i = 0; i < d->n_values; i++) {
                /* Lists and structs are for --json. */
                if (strlen(d->values[i].signature) != 1)
                        continue;
                r = record_set(record, d->values[i].key, value_cell(&d->values[i], 0, 0));
                if (r < 0)
                        return r;
        }
        line = record_print(record);
        if (!line)
                return -ENOMEM;
        printf("%s %s\n", stamp, line);
        return 0;
}

static int event_print(Ctl *c, const char *word, const Dict *d)
{
        time_t now = (time_t)(now_realtime_usec() / USEC_PER_SEC);
        char stamp[64] = "";
        struct tm tm;
        int r;

        if (localtime_r(&now, &tm))
                (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S%z", &tm);
        r = c->json ? event_print_json(c, stamp, word, d) : event_print_line(stamp, word, d);
        if (r < 0)
                return r;
        return fflush(stdout) < 0 ? -errno : 0;
}

static int event_read(const Event *event, sd_bus_message *m, Dict *d)
{
        for (size_t i = 0; i < ELEMENTSOF(event->fields) && event->fields[i].key; i++) {
                const char *type = event->fields[i].type;
                int r;

                if (streq(type, "a{sv}"))
                        r = dict_read(d, m);
                else
                        r = dict_read_value(d, event->fields[i].key, m, type);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* State and result of a removal; the rest of its properties is for whoever follows it. */
static int on_properties(Ctl *c, sd_bus_message *m)
{
        _cleanup_(dict_freep) Dict *d = dict_new(c);
        const char *interface;
        int r;

        if (!d)
                return -ENOMEM;
        d->raw = true;
        r = sd_bus_message_read_basic(m, 's', &interface);
        if (r < 0 || !streq(interface, BUS_INTERFACE_REMOVAL))
                return r;
        r = dict_put_string(d, "removal", sd_bus_message_get_path(m));
        if (r < 0)
                return r;
        r = dict_read(d, m);
        if (r < 0 || (!dict_get(d, "state") && !dict_get(d, "result")))
                return r;
        return event_print(c, "removal-changed", d);
}

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
        _cleanup_(dict_freep) Dict *d = NULL;
        Ctl *c = userdata;

        if (!is_broadcast(m))
                return 0;
        if (sd_bus_message_is_signal(m, NULL, "PropertiesChanged"))
                return on_properties(c, m);
        for (size_t i = 0; i < ELEMENTSOF(events); i++) {
                int r;

                if (!sd_bus_message_is_signal(m, NULL, events[i].member))
                        continue;
                d = dict_new(c);
                if (!d)
                        return -ENOMEM;
                d->raw = true; /* the line is made harmless as a whole */
                r = event_read(&events[i], m, d);
                return r < 0 ? r : event_print(c, events[i].word, d);
        }
        return 0;
}

int verb_monitor(Ctl *c, int argc, char **argv)
{
        _cleanup_(dict_freep) Dict *manager = dict_new(c);
        int r = manager ? 0 : -ENOMEM, status;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(matches); i++)
                r = sd_bus_add_match(c->bus, NULL, matches[i], on_signal, c);
        if (r < 0)
                return ctl_fail(c, "monitor", NULL, r);
        /* Silence for ever is no answer when there is no daemon. */
        status = bus_get_all(c, "monitor", BUS_PATH, BUS_INTERFACE_MANAGER, manager);
        if (status != 0)
                return status;
        do {
                r = sd_bus_process(c->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(c->bus, UINT64_MAX);
        } while (r >= 0 || r == -EINTR);
        return ctl_fail(c, "monitor", NULL, r);
}
