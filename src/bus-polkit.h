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
} BusNeeds;

typedef int (*BusHandler)(Manager *m, sd_bus_message *msg, sd_bus_error *error);
typedef int (*BusChooser)(
        Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs, sd_bus_error *error);

typedef struct BusMethod {
        const char *interface;
        const char *member;
        BusHandler handler;
        const char *action; /* NULL and no chooser: it only reads, nobody is asked */
        BusChooser choose;  /* where the arguments decide; fills in at least one action */
} BusMethod;

const BusMethod *bus_method_find(const char *interface, const char *member);

/* The handler of every method in every vtable: finds the row, asks, then calls the row's handler
 * with the message rewound. */
int bus_dispatch(Manager *m, sd_bus_message *msg, sd_bus_error *error);
/* The same with a Manager as userdata, for vtables. */
int bus_method(sd_bus_message *msg, void *userdata, sd_bus_error *error);

/* Effective uid of the sender. */
int bus_sender_uid(sd_bus_message *msg, uid_t *ret) _must_check_;
