/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Start, reload and stop of the daemon, and the little that follows from what is running: the
 * watchdog, questions that wait for a thaw, the memory of ended removals. */

#include "manager.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "bus-objects.h"
#include "bus-signals.h"
#include "kinds.h"
#include "manager-dead.h"
#include "manager-inhibitors.h"
#include "manager-shutdown.h"
#include "manager-watch.h"
#include "messages.h"
#include "planner.h"
#include "sys/sysfs.h"
#include "util/log.h"
#include "util/own-file.h"
#include "util/text.h"
#include "util/utf8.h"

#define WATCHDOG_USEC (180 * USEC_PER_SEC)
/* The name is taken when the devices are known, so that the first client does not see an empty
 * machine; a kernel that keeps the first scan waiting delays it by no more than this. */
#define NAME_USEC (5 * USEC_PER_SEC)
/* How long the lock of the ledgers may still belong to what a dead daemon left. */
#define LOCK_USEC (2 * USEC_PER_SEC)

static int on_settle(sd_event_source *s, void *userdata);

static int on_stop_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
        manager_stop(userdata, "the daemon stops");
        return 0;
}

static int on_reload_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
        (void)manager_reload(userdata, NULL);
        return 0;
}

static const char *runtime_directory(void)
{
        const char *dir = getenv("RUNTIME_DIRECTORY");

        return dir && *dir == '/' ? dir : LEDGER_DIR;
}

static int add_sources(Manager *m)
{
        int r;

        r = sd_event_add_signal(m->event, NULL, SIGTERM, on_stop_signal, m);
        if (r >= 0)
                r = sd_event_add_signal(m->event, NULL, SIGINT, on_stop_signal, m);
        if (r >= 0)
                r = sd_event_add_signal(m->event, NULL, SIGHUP, on_reload_signal, m);
        if (r >= 0)
                r = sd_event_add_defer(m->event, &m->settle_source, on_settle, m);
        return r < 0 ? r : 0;
}

int manager_new(Config **config, Manager **ret)
{
        _cleanup_(manager_freep) Manager *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return -ENOMEM;
        m->lock_fd = -EBADF;
        m->ledger_dir = runtime_directory();
        r = sd_event_new(&m->event);
        if (r < 0)
                return r;
        r = add_sources(m);
        if (r < 0)
                return r;
        m->config = TAKE_PTR(*config);
        *ret = TAKE_PTR(m);
        return 0;
}

Manager *manager_free(Manager *m)
{
        if (!m)
                return NULL;
        m->stopping = true;
        planner_abort_all(m);
        bus_authorize_abort_all(m);
        dead_free_all(m);
        for (size_t i = 0; i < m->n_removals; i++)
                removal_free(m->removals[i]);
        free(m->removals);
        free(m->distrusted);
        watch_free(m->watch);
        shutdown_free(m->shutdown);
        device_table_free(m->devices);
        inhibitors_free(m->inhibitors);
        config_free(m->config);
        (void)sd_event_source_disable_unref(m->name_timer);
        (void)sd_event_source_disable_unref(m->watchdog_timer);
        (void)sd_event_source_disable_unref(m->settle_source);
        (void)sd_bus_close_unref(m->side_bus);
        (void)sd_bus_flush_close_unref(m->bus);
        (void)sd_event_unref(m->event);
        (void)safe_close(m->lock_fd);
        free(m);
        return NULL;
}

/* --- what follows from what runs --- */

static int on_watchdog(sd_event_source *s, uint64_t usec, void *userdata)
{
        (void)sd_notify(false, "WATCHDOG=1");
        (void)sd_event_source_set_time(s, usec_add(now_usec(), WATCHDOG_USEC / 3));
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

/* systemd watches us only while something runs: an idle daemon must not wake the machine to say
 * that it is idle. WATCHDOG_USEC=0 takes the watch back (src/core/service.c,
 * service_start_watchdog(): a time that is not set stops the timer), so the unit itself has no
 * WatchdogSec=. */
static void watchdog_set(Manager *m, bool on)
{
        if (!on) {
                (void)sd_notify(false, "WATCHDOG_USEC=0");
                m->watchdog_timer = sd_event_source_disable_unref(m->watchdog_timer);
                return;
        }
        (void)sd_notifyf(false, "WATCHDOG_USEC=%" PRIu64, WATCHDOG_USEC);
        (void)sd_event_add_time(m->event, &m->watchdog_timer, CLOCK_MONOTONIC,
                usec_add(now_usec(), WATCHDOG_USEC / 3), 0, on_watchdog, m);
}

static void say_status(const Manager *m)
{
        size_t n = manager_n_alive(m);
        char target[256];
        const char *stopping = m->stopping ? "Stopping: " : "";

        for (size_t i = 0; i < m->n_removals; i++) {
                const Removal *r = m->removals[i];

                if (!removal_alive(r))
                        continue;
                /* A line feed in it would begin another word of the protocol, perhaps MAINPID=. */
                (void)sd_notifyf(false, "STATUS=%s%s is %s%s", stopping,
                        utf8_printable(r->request->target, target, sizeof(target)),
                        removal_state_to_string(r->state),
                        n > 1         ? ", and others"
                        : m->stopping ? ", waiting for its end"
                                      : "");
                return;
        }
        (void)sd_notifyf(false, "STATUS=%s", m->stopping ? "Stopping" : "Idle");
}

static int on_settle(sd_event_source *s, void *userdata)
{
        Manager *m = userdata;
        bool busy = manager_n_alive(m) > 0 || planner_n_asked(m) > 0;

        if (busy != m->busy)
                watchdog_set(m, busy);
        m->busy = busy;
        shutdown_update(m->shutdown);
        manager_prune_removals(m);
        if (!manager_frozen(m))
                planner_start_waiting(m);
        say_status(m);
        if (m->stopping && manager_n_alive(m) == 0 && planner_n_asked(m) == 0)
                return sd_event_exit(m->event, m->exit_code);
        return 0;
}

void manager_settle(Manager *m)
{
        if (m->settle_source)
                (void)sd_event_source_set_enabled(m->settle_source, SD_EVENT_ONESHOT);
}

/* --- start, reload, stop --- */

static int on_name_timer(sd_event_source *s, uint64_t usec, void *userdata)
{
        return manager_bus_name(userdata);
}

static bool machine_has_memory(void)
{
        _cleanup_(strv_freep) char **names = NULL;

        return sysfs_list("/sys/bus/nd/devices", &names) >= 0 && strv_length(names) > 0;
}

/* What a dead daemon has forked dies with it, but not in the same instant, and has its lock. */
static int lock_soon(int fd)
{
        const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
        uint64_t deadline = usec_add(now_usec(), LOCK_USEC);

        while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK || now_usec() >= deadline)
                        return -errno;
                (void)nanosleep(&pause, NULL);
        }
        return 0;
}

/* A second daemon would take the first one's live removals for remains. */
static int take_lock(Manager *m)
{
        _cleanup_(closep) int dir_fd = -EBADF;

        if (mkdir(m->ledger_dir, 0700) < 0 && errno != EEXIST)
                return -errno;
        dir_fd = own_folder_open(m->ledger_dir);
        if (dir_fd < 0)
                return dir_fd;
        m->lock_fd = own_file_open(dir_fd, "lock", O_RDWR | O_CREAT);
        return m->lock_fd < 0 ? m->lock_fd : lock_soon(m->lock_fd);
}

int manager_startup(Manager *m)
{
        bool memory = machine_has_memory();
        int r;

        r = take_lock(m);
        if (r < 0) {
                log_error("%s, or the file lock in it: %s", m->ledger_dir,
                        r == -EWOULDBLOCK ? "another pmemremoved works here already"
                                          : own_file_cause(r));
                return r;
        }
        r = inhibitors_restore(m);
        if (r < 0) {
                log_error("%s/inhibitors: the inhibitors of the last daemon cannot be taken over: "
                          "%s",
                        m->ledger_dir, strerror(-r));
                return r;
        }
        r = manager_bus_open(m);
        if (r < 0) {
                log_error("The system bus cannot be reached: %s", strerror(-r));
                return r;
        }
        r = manager_load_history(m);
        if (r < 0) {
                log_error("The ledgers in %s cannot be read: %s", m->ledger_dir, strerror(-r));
                return r;
        }
        r = watch_start(m, memory, &m->watch);
        if (r < 0)
                return r;
        if (!memory)
                return manager_bus_name(m);
        return sd_event_add_time_relative(
                m->event, &m->name_timer, CLOCK_MONOTONIC, NAME_USEC, 0, on_name_timer, m);
}

int manager_reload(Manager *m, Failure *f)
{
        Config *fresh = NULL;
        Failure local = { 0 };
        char text[1400];
        int r;

        (void)sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_usec());
        r = config_load("", &fresh, &local);
        if (r < 0) {
                (void)failure_set(&local, FAILURE_INVALID_CONFIG, r, NULL, "%s", strerror(-r));
                log_event(LOG_ERR, MESSAGE_CONFIG_ERROR, NULL,
                        "The old configuration stays in force: %s",
                        failure_text(&local, text, sizeof(text)));
                if (f)
                        *f = local;
        } else {
                config_free(m->config);
                m->config = fresh;
                log_event(LOG_INFO, MESSAGE_RELOADED, NULL, "The configuration was read again.");
        }
        (void)sd_notify(false, "READY=1");
        return r < 0 ? r : 0;
}

void manager_stop(Manager *m, const char *why)
{
        if (m->stopping)
                return;
        m->stopping = true;
        (void)sd_notify(false, "STOPPING=1");
        log_info("Stopping: %s.", why);
        planner_abort_all(m);
        bus_authorize_abort_all(m);
        for (size_t i = 0; i < m->n_removals; i++)
                if (removal_alive(m->removals[i]))
                        (void)removal_cancel(m->removals[i], why, NULL);
        manager_settle(m);
}

/* --- devices --- */

/* Nobody takes buses and dimms away by a driver of theirs: only what lies on them went, which is
 * told of that. And a snapshot may be from while a removal that was then undone had it unbound. */
static bool is_still_there(const Device *d, const Device *now)
{
        if (streq(d->kind, KIND_BUS) || streq(d->kind, KIND_DIMM))
                return now;
        return !d->expected && d->bound && !manager_device_lost_driver(d);
}

static void device_gone(Manager *m, Device *d, const Device *now)
{
        if (manager_removal_of(m, d->name) || is_still_there(d, now))
                return;
        if (d->expected)
                bus_signal_device_removed(m, d->path, "requested");
        else
                manager_device_vanished(m, d, NULL);
}

/* The snapshot came before the word of the worker who looks whether it was he who did it. If it was
 * not, what had stood on it is asked for. */
static void keep_users(const Manager *m, Device *old, Device *new)
{
        if (new->filesystems || !manager_removal_of(m, new->name))
                return;
        new->filesystems = TAKE_PTR(old->filesystems);
        new->dax = old->dax;
        if (!new->uuid)
                new->uuid = TAKE_PTR(old->uuid);
        new->users = old->users ? TAKE_PTR(old->users) : manager_device_users(old);
}

static void device_differs(Manager *m, Device *old, Device *new)
{
        const char *changed[DEVICE_PROPERTIES_MAX + 1];
        bool was = !streq(old->can_remove, "removed"), is = !streq(new->can_remove, "removed");

        device_compare(old, new, changed);
        if (changed[0])
                bus_device_changed(m, new->path, changed);
        if (was && !is)
                device_gone(m, old, new);
        if (!is)
                keep_users(m, old, new);
        /* Bound again by somebody, it is nobody's to expect. */
        new->expected = old->expected &&was &&is &&manager_device_is_out(new);
        /* A snapshot from before it went; not one from after its return. */
        new->told = old->told &&was &&is &&manager_device_lost_driver(new);
}

void manager_take_devices(Manager *m, DeviceTable *devices)
{
        DeviceTable *old = m->devices;

        for (size_t i = 0; devices && old && i < old->n; i++) {
                Device *d = old->items[i];

                if (device_table_find(devices, d->name))
                        continue;
                if (!streq(d->can_remove, "removed"))
                        device_gone(m, d, NULL);
                bus_object_removed(m, d->path);
        }
        if (devices)
                m->devices = devices;
        for (size_t i = 0; devices && i < devices->n; i++) {
                Device *was = device_table_find(old, devices->items[i]->name);

                if (was)
                        device_differs(m, was, devices->items[i]);
                else
                        bus_object_added(m, devices->items[i]->path);
        }
        if (devices && (!old || !streq(old->pre_remove, devices->pre_remove)))
                bus_signal_pre_remove(m);
        if (devices)
                device_table_free(old);
        manager_look_for_vanished(m);
        dead_look(m);
        if (!m->named && !m->stopping)
                (void)manager_bus_name(m);
}
