/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods behind the vtables: bus-request.c, bus-manager.c and bus-removal.c. */

#include "bus-polkit.h"

int call_request_remove(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_plan_remove(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_resolve_target(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_list_removals(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_reload(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_cancel(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_confirm(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_extend(Manager *m, sd_bus_message *msg, sd_bus_error *error);
int call_wait(Manager *m, sd_bus_message *msg, sd_bus_error *error);

int choose_request_remove(
        Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs, sd_bus_error *error);
int choose_own_removal(
        Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs, sd_bus_error *error);

/* "sa{sv}" as a Request. */
int bus_request_parse(sd_bus_message *msg, Request **ret, Failure *f) _must_check_;
/* The answer of PlanRemove. */
int bus_plan_reply(
        sd_bus_message *msg, const Request *req, const Verdict *v, Graph *g) _must_check_;
