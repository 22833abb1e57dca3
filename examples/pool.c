/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pool DEVICE FILE: an application that lets go of persistent memory when it is asked to, and takes
 * it up again when that was called off or the memory is back. org.pmemremoved1(5) has the protocol:
 *
 *     listen, take a delay lock, open                       never open without a lock
 *     PrepareForRemoval(true): flush, unmap, close, and give the lock away last
 *     PrepareForRemoval(false), or a daemon that is new: take a lock, open again
 *
 * It appends numbered records to FILE on a DAX filesystem (made by "fallocate -l 4M FILE") and
 * prints each number when the record is durable. DEVICE is what it stands on, as namespace0.0.
 *
 *     cc -D_GNU_SOURCE pool.c records.c -o pool $(pkg-config --cflags --libs libsystemd) */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "records.h"

#define SERVICE "org.pmemremoved1"
#define FROM_MANAGER "type='signal',sender='" SERVICE "',path='/org/pmemremoved1',"
#define WRITE_USEC 20000u
#define RETRY_USEC 500000u

typedef struct Pool {
        sd_bus *bus;
        const char *device;
        const char *file;
        char *device_path;
        char removal[128]; /* what we are closed for, until it is over; else empty */
        Records records;
        int lock_fd;
} Pool;

/* Whatever holds the filesystem: here a mapping and a descriptor; in other programs also a working
 * directory, a child, a file that was sent to somebody. Then the lock: without it nobody waits. */
static void pool_close(Pool *p)
{
        if (records_close(&p->records))
                printf("closed\n");
        if (p->lock_fd >= 0)
                close(p->lock_fd);
        p->lock_fd = -EBADF;
}

static int complain(const Pool *p, int r, sd_bus_error *error)
{
        if (r < 0)
                fprintf(stderr, "%s: %s\n", p->device, error->message ?: strerror(-r));
        sd_bus_error_free(error);
        return r;
}

/* The lock is the descriptor: closing it, or our death, is what gives it away. */
static int pool_lock(Pool *p)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int fd, r;

        r = sd_bus_call_method(p->bus, SERVICE, "/org/pmemremoved1", SERVICE ".Manager", "Inhibit",
                &error, &reply, "ssss", p->device, "pool", "closing the pool", "delay");
        if (r >= 0)
                r = sd_bus_message_read(reply, "h", &fd);
        /* The descriptor in the message goes with the message. */
        if (r >= 0) {
                fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                r = fd < 0 ? -errno : 0;
        }
        if (r >= 0) {
                if (p->lock_fd >= 0)
                        close(p->lock_fd);
                p->lock_fd = fd;
        }
        sd_bus_message_unref(reply);
        return complain(p, r, &error);
}

/* Tried again and again: only its owner knows when the memory comes back. */
static void pool_open(Pool *p)
{
        int r;

        if (p->records.map || p->removal[0] || access(p->file, F_OK) < 0)
                return;
        r = pool_lock(p);
        if (r >= 0)
                r = records_open(&p->records, p->file);
        if (r < 0)
                pool_close(p);
        else
                printf("opened with %" PRIu64 "\n", p->records.n);
}

static int on_prepare(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *device, *removal;
        Pool *p = userdata;
        int start, r;

        r = sd_bus_message_read(m, "oob", &device, &removal, &start);
        if (r < 0 || strcmp(device, p->device_path) != 0)
                return r;
        snprintf(p->removal, sizeof(p->removal), "%s", start ? removal : "");
        if (start)
                pool_close(p);
        else
                pool_open(p);
        return 0;
}

/* Once it is over the file may be opened, if there is one: on_time() sees. */
static int on_finished(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *removal;
        Pool *p = userdata;
        int r;

        r = sd_bus_message_read(m, "o", &removal);
        if (r >= 0 && strcmp(removal, p->removal) == 0)
                p->removal[0] = '\0';
        return r;
}

/* A daemon that died cannot call off what it announced. Its successor completes or undoes that
 * before it takes the name: when the name has a new owner, nothing is under way. Our lock it has
 * kept, unless it was stopped in between, so a new one is taken. Without one on_time() tries again.
 */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *owner;
        Pool *p = userdata;
        int r;

        r = sd_bus_message_read(m, "sss", NULL, NULL, &owner);
        if (r < 0 || !*owner)
                return r;
        p->removal[0] = '\0';
        if (!p->records.map)
                pool_open(p);
        else if (pool_lock(p) < 0)
                pool_close(p);
        return 0;
}

static int on_time(sd_event_source *timer, uint64_t usec, void *userdata)
{
        Pool *p = userdata;
        int r;

        if (!p->records.map)
                pool_open(p);
        else {
                r = records_append(&p->records);
                if (r < 0)
                        return sd_event_exit(sd_event_source_get_event(timer), r);
                printf("durable %" PRIu64 "\n", p->records.n);
        }
        r = sd_event_source_set_time_relative(timer, p->records.map ? WRITE_USEC : RETRY_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* What comes while sd-bus waits for an answer is queued. With the matches first nothing is missed,
 * and all of it is handled when the lock is there; what was announced before them is asked for. */
static int pool_listen(Pool *p)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *removal;
        int r;

        r = sd_bus_add_match(
                p->bus, NULL, FROM_MANAGER "member='PrepareForRemoval'", on_prepare, p);
        if (r >= 0)
                r = sd_bus_add_match(
                        p->bus, NULL, FROM_MANAGER "member='RemovalFinished'", on_finished, p);
        if (r >= 0)
                r = sd_bus_add_match(p->bus, NULL,
                        "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                        "arg0='" SERVICE "'",
                        on_owner, p);
        if (r >= 0)
                r = sd_bus_get_property(p->bus, SERVICE, p->device_path, SERVICE ".Device",
                        "Removal", &error, &reply, "o");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &removal);
        if (r >= 0 && strcmp(removal, "/") != 0)
                snprintf(p->removal, sizeof(p->removal), "%s", removal);
        sd_bus_message_unref(reply);
        return complain(p, r, &error);
}

/* Until SIGTERM: whoever ends us gets an orderly end. */
static int pool_run(Pool *p, sd_event *loop)
{
        sigset_t term;
        int r;

        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term, NULL);
        r = sd_event_add_signal(loop, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_time_relative(loop, NULL, CLOCK_MONOTONIC, 0, 0, on_time, p);
        if (r >= 0)
                r = sd_bus_attach_event(p->bus, loop, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r : sd_event_loop(loop);
}

int main(int argc, char **argv)
{
        Pool p = { .records = RECORDS_CLOSED, .lock_fd = -EBADF };
        sd_event *loop = NULL;
        int r;

        if (argc != 3) {
                fprintf(stderr, "usage: pool DEVICE FILE\n");
                return 2;
        }
        p.device = argv[1];
        p.file = argv[2];
        setvbuf(stdout, NULL, _IOLBF, 0);
        r = sd_bus_path_encode("/org/pmemremoved1/device", p.device, &p.device_path);
        if (r >= 0)
                r = sd_bus_open_system(&p.bus);
        if (r >= 0)
                r = sd_event_new(&loop);
        if (r >= 0)
                r = pool_listen(&p);
        if (r >= 0)
                r = pool_run(&p, loop);
        if (r < 0)
                fprintf(stderr, "pool: %s\n", strerror(-r));
        pool_close(&p);
        sd_bus_flush_close_unref(p.bus);
        sd_event_unref(loop);
        free(p.device_path);
        return r < 0 ? 1 : 0;
}
