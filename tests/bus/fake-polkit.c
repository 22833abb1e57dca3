/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for polkit on a test bus: appends what it is asked to the file in its first argument
 * and says yes to the actions that the file in its second argument lists. A line "think" there
 * makes it take its time, as a person would. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <time.h>

static char **arguments;

static int is_listed(const char *word)
{
        FILE *f = fopen(arguments[2], "re");
        char line[128];
        int found = 0;

        while (f && fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = '\0';
                found |= strcmp(line, word) == 0;
        }
        if (f)
                (void)fclose(f);
        return found;
}

static int check(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *kind, *action, *key, *value;
        uint32_t flags;
        FILE *f;
        int r;

        r = sd_bus_message_enter_container(m, 'r', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_read(m, "s", &kind);
        if (r >= 0)
                r = sd_bus_message_skip(m, "a{sv}");
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_read(m, "s", &action);
        f = r >= 0 ? fopen(arguments[1], "ae") : NULL;
        if (!f)
                return -EIO;
        (void)fprintf(f, "%s %s", kind, action);
        r = sd_bus_message_enter_container(m, 'a', "{ss}");
        while (r >= 0 && (r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0)
                (void)fprintf(f, " %s=%s", key, value);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_read(m, "us", &flags, &value);
        (void)fprintf(f, " flags=%u\n", r < 0 ? 0 : flags);
        (void)fclose(f);
        if (r < 0)
                return r;
        if (is_listed("think"))
                (void)nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
        return sd_bus_reply_method_return(m, "(bba{ss})", is_listed(action), 0, 0);
}

static const sd_bus_vtable authority[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", check,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int main(int argc, char **argv)
{
        sd_event *event = NULL;
        sd_bus *bus = NULL;

        arguments = argv;
        if (argc != 3 || sd_event_default(&event) < 0 || sd_bus_open_system(&bus) < 0 ||
                sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
                        "org.freedesktop.PolicyKit1.Authority", authority, NULL) < 0 ||
                sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0) < 0 ||
                sd_bus_attach_event(bus, event, 0) < 0)
                return EXIT_FAILURE;
        return sd_event_loop(event) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
