/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods behind the vtables: bus-request.c, bus-inhibit.c, bus-manager.c and bus-removal.c. */

#include "bus-polkit.h"
#include "planner.h"

int call_request_remove(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_plan_remove(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_resolve_target(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_inhibit(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_list_inhibitors(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_list_removals(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_reload(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_cancel(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_confirm(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_extend(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_wait(Manager *m, sd_bus_message *msg, sd_bus_error *error);

int choose_inhibit(
        Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs, sd_bus_error *error);
int choose_own_removal(
        Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs, sd_bus_error *error);

/* A call that waits for a planner; the message is kept until then. */
typedef struct Question {
        Manager *manager;
        sd_bus_message *msg;
        Request *req;
        uid_t uid;
        bool guest;    /* takes one of the places of those who are not root */
        bool planning; /* a planner has it */
        bool asking;   /* polkit has it */
        bool allowed;  /* polkit said yes */
        int (*answer)(struct Question *q, PlannerAnswer *a, sd_bus_error *error);

        /* what polkit was asked about */
        Verdict *verdict;
        Graph *graph;
        uint64_t asked_usec; /* the planner; its snapshot is no older */
        uint64_t planned_usec;
} Question;

/* Takes the request over; topology: the question is only what there is. */
int bus_ask(Manager *m, sd_bus_message *msg, Request *req, bool topology,
        int (*answer)(Question *q, PlannerAnswer *a, sd_bus_error *error), sd_bus_error *error);

/* bus-inhibit.c: properties of the manager. */
int get_inhibitors_max(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_n_inhibitors(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_inhibited(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error);

/* "sa{sv}" as a Request. */
int bus_request_parse(Manager *m, sd_bus_message *msg, Request **ret, Failure *f) _must_check_;
/* What polkit is told of this removal; the closure is marked in g. */
int bus_needs_from_plan(
        BusNeeds *needs, const Request *req, const Verdict *v, const Graph *g) _must_check_;
/* The answer of PlanRemove. */
int bus_plan_reply(
        sd_bus_message *msg, const Request *req, const Verdict *v, Graph *g) _must_check_;
