/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one Manager: everything the daemon has, and nothing else has globals. */

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "config.h"
#include "caller-limits.h"
#include "manager-devices.h"
#include "removal.h"

typedef struct Authorization Authorization;
typedef struct Planner Planner;
typedef struct Shutdown Shutdown;
typedef struct Watch Watch;

struct Manager {
        sd_event *event;
        sd_bus *bus;      /* NULL in tests */
        sd_bus *side_bus; /* bus-sender.c */
        Config *config;
        const char *ledger_dir;
        int lock_fd;        /* one daemon per ledger directory */
        Removal **removals; /* oldest first */
        size_t n_removals;
        uint64_t *distrusted; /* ids of ledgers that are not obeyed */
        size_t n_distrusted;
        Planner **planners;
        size_t n_planners;
        DeviceTable *devices;
        struct InhibitorTable *inhibitors;
        Watch *watch;
        Shutdown *shutdown;                   /* NULL without a bus */
        uid_t guests[LIMIT_QUESTIONS_GUESTS]; /* whose questions to planners are open, but root's */
        unsigned n_guests;
        struct Dead **dead; /* vanished filesystems whose mounts are to go */
        size_t n_dead;
        Authorization *authorizations; /* questions to polkit that wait for an answer */
        bool named;                    /* the bus name was asked for */
        bool owns_name;                /* and given */
        bool stopping;
        int exit_code;
        bool busy; /* something runs: systemd watches us */
        sd_event_source *name_timer;
        sd_event_source *watchdog_timer;
        sd_event_source *settle_source;
};

/* The configuration is taken over on success. */
int manager_new(Config **config, Manager **ret) _must_check_;
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free);

/* Recovery first, then the bus; READY=1 when the name is ours. */
int manager_startup(Manager *m) _must_check_;
/* A bad file leaves the old policy in force; the sentence in f says why. */
int manager_reload(Manager *m, Failure *f);
/* What can be undone is cancelled, what cannot is waited for; then the loop ends. */
void manager_stop(Manager *m, const char *why);

int manager_add_removal(Manager *m, Removal *r) _must_check_;
void manager_drop_removal(Manager *m, Removal *r);
Removal *manager_find_removal(const Manager *m, uint64_t id);
/* A live removal that works on one of these namespaces and regions, or was asked for by that word.
 */
Removal *manager_find_related(const Manager *m, char *const *names, const char *target);
/* The newest live removal, else NULL, that concerns this device. */
Removal *manager_removal_of(const Manager *m, const char *device);
size_t manager_n_alive(const Manager *m);
/* Writes into a snapshot which namespaces live removals work on, and those that ended since then
 * (CLOCK_MONOTONIC) with the namespaces gone. */
int manager_mark_leaving(const Manager *m, Graph *g, uint64_t since_usec) _must_check_;
/* A live removal that has such a step, or NULL. */
const Removal *manager_find_step(const Manager *m, const StepOps *ops);
/* Some filesystem is frozen: nothing may scan now (kernel-facts 5.2). */
bool manager_frozen(const Manager *m);

/* A ledger cannot be read: nobody knows what its removal left undone, so none begins before an
 * administrator has looked at it and deleted it. */
/* Every ledger there is: the unfinished are recovered. */
int manager_load_history(Manager *m) _must_check_;
int manager_distrust(Manager *m, uint64_t id, int err) _must_check_;
int manager_check_distrusted(const Manager *m, Failure *f) _must_check_;

/* Keeps the last 32 of the ended ones. */
void manager_prune_removals(Manager *m);

void manager_removal_changed(Manager *m);
void manager_removal_ended(Manager *m, Removal *r);
/* Looks again, once the loop is idle, at what depends on what runs: watchdog, planners that wait
 * for a thaw, the end of a stopping daemon. */
void manager_settle(Manager *m);

/* A fresh snapshot from a planner; the table takes its place, and the bus hears the difference. */
void manager_take_devices(Manager *m, DeviceTable *devices);

/* manager-vanished.c: an event says that some memory may have gone. Which has, is told or asked at
 * once, without a snapshot: that can take long, and none is made while a filesystem is frozen. */
void manager_look_for_vanished(Manager *m);
/* It was nobody's request; r is the removal that it happened to, or NULL. Told once. */
void manager_device_vanished(Manager *m, Device *d, const Removal *r);
/* Has this namespace no driver any more, whatever the snapshot says that it is from? */
bool manager_device_lost_driver(const Device *d);
/* Who is known to use it, in words; NULL: nobody, or no memory. */
char *manager_device_users(const Device *d);
/* Does the kernel say now that a removal, which had to take it away, has done so? */
bool manager_device_is_out(const Device *d);

/* manager-bus.c: connects and publishes everything; the name comes later. */
int manager_bus_open(Manager *m) _must_check_;
int manager_bus_name(Manager *m);
