/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for logind on a test bus: hands out locks, which are pipes, and keeps in the file of
 * its argument the modes of those that are held. Announce(MEMBER, BOOL) says what logind would. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define PATH "/org/freedesktop/login1"
#define INTERFACE "org.freedesktop.login1.Manager"
#define LOCKS_MAX 16

static const char *file;
static sd_bus *bus;
static int under_way;
static sd_event *event;
static struct Lock {
        char mode[16];
        int fd; /* 0: free */
} locks[LOCKS_MAX];

static void write_locks(void)
{
        FILE *f = fopen(file, "we");

        for (size_t i = 0; f && i < LOCKS_MAX; i++)
                if (locks[i].fd > 0)
                        (void)fprintf(f, "%s\n", locks[i].mode);
        if (f)
                (void)fclose(f);
}

static int on_closed(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        struct Lock *lock = userdata;

        (void)sd_event_source_unref(s);
        (void)close(lock->fd);
        lock->fd = 0;
        write_locks();
        return 0;
}

static int inhibit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *what, *who, *why, *mode;
        struct Lock *lock = locks;
        int ends[2], r;

        r = sd_bus_message_read(m, "ssss", &what, &who, &why, &mode);
        if (under_way)
                return sd_bus_reply_method_errorf(
                        m, "org.freedesktop.login1.OperationInProgress", "already running");
        while (lock < locks + LOCKS_MAX && lock->fd > 0)
                lock++;
        if (r < 0 || lock == locks + LOCKS_MAX || strcmp(what, "shutdown:sleep") != 0 ||
                !strstr(why, "namespace0.0"))
                return -EINVAL;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        (void)snprintf(lock->mode, sizeof(lock->mode), "%s", mode);
        lock->fd = ends[0];
        r = sd_event_add_io(event, NULL, lock->fd, 0, on_closed, lock);
        if (r >= 0)
                r = sd_bus_reply_method_return(m, "h", ends[1]);
        (void)close(ends[1]);
        write_locks();
        return r;
}

static int announce(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *member;
        int begins, r;

        r = sd_bus_message_read(m, "sb", &member, &begins);
        under_way = r >= 0 && begins;
        if (r >= 0)
                r = sd_bus_emit_signal(bus, PATH, INTERFACE, member, "b", begins);
        return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable manager[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Inhibit", "ssss", "h", inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Announce", "sb", "", announce, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int main(int argc, char **argv)
{
        file = argv[1];
        if (argc != 2 || sd_event_default(&event) < 0 || sd_bus_open_system(&bus) < 0 ||
                sd_bus_add_object_vtable(bus, NULL, PATH, INTERFACE, manager, NULL) < 0 ||
                sd_bus_request_name(bus, "org.freedesktop.login1", 0) < 0 ||
                sd_bus_attach_event(bus, event, 0) < 0)
                return EXIT_FAILURE;
        write_locks();
        return sd_event_loop(event) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
