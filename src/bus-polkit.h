/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who may call what. One table says for each method which polkit action it needs; a method that is
 * not in the table is denied to everybody. */

#include <systemd/sd-bus.h>

#include "manager.h"

#define POLKIT_REMOVE "org.pmemremoved1.remove"
#define POLKIT_REMOVE_FORCED "org.pmemremoved1.remove-forced"
#define POLKIT_REMOVE_IGNORE_INHIBIT "org.pmemremoved1.remove-ignore-inhibit"
#define POLKIT_CANCEL_OTHER "org.pmemremoved1.cancel-other"
#define POLKIT_INHIBIT_BLOCK "org.pmemremoved1.inhibit-block"
#define POLKIT_INHIBIT_DELAY "org.pmemremoved1.inhibit-delay"
#define POLKIT_MANAGE "org.pmemremoved1.manage"

#define POLKIT_ACTIONS_MAX 2

/* What a call needs, and what the person who is asked gets to see. */
typedef struct BusNeeds {
        const char *actions[POLKIT_ACTIONS_MAX];
        size_t n_actions;
        char *target;
        char *mode;
        /* Of a removal, once its plan is made; NULL: nothing is known about it. */
        char *road;      /* "graceful", "graceful kill": as they would be tried */
        char *devices;   /* namespaces and regions that go, blank separated */
        char *mounts;    /* where they are mounted, or "none" */
        char *processes; /* how many would be signalled or killed */
} BusNeeds;

void bus_needs_done(BusNeeds *n);

typedef int (*BusHandler)(Manager *m, sd_bus_message *msg, sd_bus_error *error);
typedef int (*BusChooser)(
        Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs, sd_bus_error *error);

typedef struct BusMethod {
        const char *interface;
        const char *member;
        BusHandler handler;
        const char *action; /* NULL and no chooser: it only reads, nobody is asked */
        BusChooser choose;  /* where the arguments decide; fills in at least one action */
        bool later;         /* the handler asks by itself, once it knows what to ask about */
} BusMethod;

/* NULL past the end. */
const BusMethod *bus_method_at(size_t i);
/* Does somebody have to be asked before it does anything? */
bool bus_method_asks(const BusMethod *method);
/* Every action there is; NULL past the end. */
const char *bus_polkit_action(size_t i);
const BusMethod *bus_method_find(const char *interface, const char *member);

/* The handler of every method in every vtable: finds the row, asks, then calls the row's handler
 * with the message rewound. */
int bus_dispatch(Manager *m, sd_bus_message *msg, sd_bus_error *error);
/* The same with a Manager as userdata, for vtables. */
int bus_method(sd_bus_message *msg, void *userdata, sd_bus_error *error);

/* What follows a yes, with the message that was asked about; a negative answer goes to its sender
 * together with the error. */
typedef struct BusAllowed {
        int (*call)(Manager *m, sd_bus_message *msg, void *userdata, sd_bus_error *error);
        void (*release)(void *userdata); /* may be NULL; called once, whatever the answer was */
        void *userdata;
} BusAllowed;

/* bus-authorize.c: polkit is asked for each of the actions, and call() comes later. The texts of
 * needs are taken over. On an error nothing was asked, and userdata is still the caller's. */
int bus_authorize(Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs,
        const BusAllowed *allowed, sd_bus_error *error) _must_check_;

/* AccessDenied: always negative. */
int bus_denied(sd_bus_error *error, const char *action, const char *why);

/* Effective uid of the sender. */
