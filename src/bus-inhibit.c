/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inhibit and what is seen of inhibitors. The target is resolved by a planner, as for every other
 * call; the message is read again then, because it is what the answer goes to. */

#include <inttypes.h>

#include "bus-append.h"
#include "bus-calls.h"
#include "bus-error.h"
#include "bus-sender.h"
#include "caller-limits.h"
#include "manager-inhibitors.h"
#include "topology.h"
#include "util/text.h"

static int fail(sd_bus_error *error, int r, const Failure *f)
{
        return f->kind == FAILURE_NONE ? r : bus_error_set(error, f);
}

static int read_inhibitor(sd_bus_message *msg, Inhibitor **ret, Failure *f)
{
        const char *target, *who, *why, *mode;
        int r;

        r = sd_bus_message_rewind(msg, true);
        if (r >= 0)
                r = sd_bus_message_read(msg, "ssss", &target, &who, &why, &mode);
        return r < 0 ? r : inhibitor_new(target, who, why, mode, ret, f);
}

int choose_inhibit(Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs, sd_bus_error *error)
{
        static const char *const actions[_INHIBIT_MODE_MAX] = {
                [INHIBIT_BLOCK] = POLKIT_INHIBIT_BLOCK,
                [INHIBIT_DELAY] = POLKIT_INHIBIT_DELAY,
        };
        _cleanup_(inhibitor_freep) Inhibitor *i = NULL;
        Failure f = { 0 };
        int r;

        r = read_inhibitor(msg, &i, &f);
        if (r < 0)
                return fail(error, r, &f);
        needs->actions[needs->n_actions++] = actions[i->mode];
        needs->target = TAKE_PTR(i->target);
        r = free_and_strdup(&needs->mode, inhibit_mode_to_string(i->mode));
        return r < 0 ? r : 0;
}

/* The pid is for people; that of a caller in another machine's container may be missing. */
static int set_caller(Manager *m, sd_bus_message *msg, Inhibitor *i)
{
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        int r;

        r = bus_sender_creds(m, msg, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID, &creds);
        if (r < 0)
                return r;
        if (sd_bus_creds_get_pid(creds, &i->pid) < 0)
                i->pid = 0;
        return sd_bus_creds_get_euid(creds, &i->uid);
}

static const Removal *related(const Manager *m, const Inhibitor *i)
{
        if (!inhibitor_is_general(i))
                return manager_find_related(m, i->names, i->target);
        for (size_t k = 0; k < m->n_removals; k++)
                if (removal_alive(m->removals[k]))
                        return m->removals[k];
        return NULL;
}

/* A lock that comes while a removal is on its way would promise what nobody keeps. */
static int check_removals(const Manager *m, const Inhibitor *i, Failure *f)
{
        const Removal *other = related(m, i);

        if (!other)
                return 0;
        return failure_set(f, FAILURE_IN_PROGRESS, 0, other->request->target,
                "removal %" PRIu64
                " is under way (%s), so it is too late for an inhibitor; cancel it, "
                "or wait for its end",
                other->id, removal_state_to_string(other->state));
}

/* Our copy of the caller's end is closed here and libsystemd's when the reply has been sent; one
 * that is kept anywhere would keep the lock alive. */
static int grant(Manager *m, sd_bus_message *msg, Inhibitor **i, sd_bus_error *error)
{
        _cleanup_(closep) int fd = -EBADF;
        Failure f = { 0 };
        int r;

        r = check_removals(m, *i, &f);
        if (r == 0)
                r = set_caller(m, msg, *i);
        if (r >= 0)
                r = inhibitors_add(m, i, &fd, &f);
        if (r < 0)
                return fail(error, r, &f);
        return sd_bus_reply_method_return(msg, "h", fd);
}

static int answer_inhibit(Question *q, PlannerAnswer *a, sd_bus_error *error)
{
        _cleanup_(inhibitor_freep) Inhibitor *i = NULL;
        Failure f = { 0 };
        Node *node;
        int r;

        r = read_inhibitor(q->msg, &i, &f);
        if (r == 0)
                r = topology_resolve(a->graph, i->target, &node, &f);
        if (r == 0 && !device_node(node))
                r = failure_set(&f, FAILURE_NO_SUCH_TARGET, 0, i->target,
                        "it does not stand on persistent memory");
        if (r == 0)
                r = policy_closure(a->graph, i->target, &i->names, &f);
        return r < 0 ? fail(error, r, &f) : grant(q->manager, q->msg, &i, error);
}

int call_inhibit(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        _cleanup_(inhibitor_freep) Inhibitor *i = NULL;
        _cleanup_(request_freep) Request *req = request_new();
        Failure f = { 0 };
        int r;

        if (!req)
                return -ENOMEM;
        r = read_inhibitor(msg, &i, &f);
        if (r == 0)
                r = bus_sender_uid(m, msg, &req->uid);
        /* A snapshot for nothing is what a caller in a loop must not get. */
        if (r >= 0)
                r = inhibitors_check_room(m, req->uid, &f);
        if (r < 0)
                return fail(error, r, &f);
        if (inhibitor_is_general(i))
                return grant(m, msg, &i, error);
        req->target = TAKE_PTR(i->target);
        return bus_ask(m, msg, TAKE_PTR(req), true, answer_inhibit, error);
}

int call_list_inhibitors(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Inhibitor *i;
        int r;

        r = sd_bus_message_new_method_return(msg, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssssuu)");
        for (size_t k = 0; (i = inhibitors_at(m, k)) && r >= 0; k++)
                r = bus_append(reply, "(ssssuu)", i->target, i->who, i->why,
                        inhibit_mode_to_string(i->mode), (uint32_t)i->uid, (uint32_t)i->pid);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* --- properties --- */

int get_inhibitors_max(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        return bus_append(reply, "u", (uint32_t)LIMIT_INHIBITORS);
}

int get_n_inhibitors(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        return bus_append(reply, "u", (uint32_t)inhibitors_count(userdata));
}

int get_inhibited(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        InhibitMode mode = streq(property, "BlockInhibited") ? INHIBIT_BLOCK : INHIBIT_DELAY;
        _cleanup_(strv_freep) char **targets = NULL;
        const Inhibitor *i;
        int r = 0;

        for (size_t k = 0; (i = inhibitors_at(userdata, k)) && r == 0; k++)
                if (i->mode == mode && !strv_contains(targets, i->target))
                        r = strv_append(&targets, i->target);
        return r < 0 ? r : bus_append_strv(reply, targets);
}
