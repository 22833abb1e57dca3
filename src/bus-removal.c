/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.pmemremoved1.Removal, one object per removal. */

#include <inttypes.h>

#include "bus-append.h"
#include "bus-calls.h"
#include "bus-error.h"
#include "bus-objects.h"
#include "bus-sender.h"
#include "bus.h"
#include "caller-limits.h"
#include "util/text.h"
#include "util/utf8.h"

#define GETTER(name)                                                                               \
        static int name(sd_bus *bus, const char *path, const char *interface,                      \
                const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *error)

/* --- properties --- */

#define WORD_GETTER(name, expression)                                                              \
        GETTER(name)                                                                               \
        {                                                                                          \
                const Removal *r = userdata;                                                       \
                                                                                                   \
                return bus_append(reply, "s", strempty(expression));                               \
        }

WORD_GETTER(get_target, r->request->target)
WORD_GETTER(get_step, r->step_text)
WORD_GETTER(get_state, removal_state_to_string(r->state))
WORD_GETTER(get_road, plan_road(r->plan, r->rung))
WORD_GETTER(get_plan_id, r->plan->id)
WORD_GETTER(get_reason, r->request->reason)
WORD_GETTER(get_transaction, r->request->transaction_id)

GETTER(get_plan)
{
        const char *text = ((const Removal *)userdata)->plan_text;

        return bus_append(reply, "s", strlen(text) > LIMIT_PLAN_SHOWN ? "" : text);
}

GETTER(get_progress)
{
        const Removal *r = userdata;

        return bus_append(
                reply, "(isi)", (int32_t)removal_percent(r), strempty(r->progress), (int32_t)0);
}

GETTER(get_blockers)
{
        const Removal *r = userdata;
        size_t left = LIMIT_LIST;
        int e;

        e = sd_bus_message_open_container(reply, 'a', "(sss)");
        for (size_t i = 0; i < r->n_blockers && e >= 0 && utf8_fits(&left, r->blockers[i].node) &&
                           utf8_fits(&left, r->blockers[i].sentence);
                i++)
                e = bus_append(reply, "(sss)", failure_info(r->blockers[i].kind)->bus_name,
                        r->blockers[i].node, r->blockers[i].sentence);
        return e < 0 ? e : sd_bus_message_close_container(reply);
}

GETTER(get_deadline)
{
        return bus_append(reply, "t", removal_deadline_realtime(userdata));
}

GETTER(get_committed)
{
        return bus_append(reply, "b", (int)((Removal *)userdata)->committed);
}

GETTER(get_cancelable)
{
        return bus_append(reply, "b", (int)removal_cancelable(userdata));
}

GETTER(get_estimate)
{
        return bus_append(reply, "t", ((Removal *)userdata)->plan->estimate_usec);
}

GETTER(get_uid)
{
        return bus_append(reply, "u", (uint32_t)((Removal *)userdata)->request->uid);
}

GETTER(get_error)
{
        const Failure *f = &((Removal *)userdata)->failure;
        char text[1400];

        if (f->kind == FAILURE_NONE)
                return bus_append(reply, "(ss)", "", "");
        return bus_append(reply, "(ss)", failure_info(f->kind)->bus_name,
                failure_text(f, text, sizeof(text)));
}

GETTER(get_killed)
{
        const Removal *r = userdata;
        size_t left = LIMIT_LIST;
        int e;

        e = sd_bus_message_open_container(reply, 'a', "(usss)");
        for (size_t i = 0;
                i < r->n_killed && e >= 0 && utf8_fits(&left, strempty(r->killed[i].unit)) &&
                utf8_fits(&left, strempty(r->killed[i].reason));
                i++)
                e = bus_append(reply, "(usss)", r->killed[i].pid, strempty(r->killed[i].comm),
                        strempty(r->killed[i].unit), strempty(r->killed[i].reason));
        return e < 0 ? e : sd_bus_message_close_container(reply);
}

GETTER(get_awaited)
{
        const Removal *r = userdata;
        int e;

        e = sd_bus_message_open_container(reply, 'a', "(usss)");
        for (size_t i = 0; i < r->n_awaited && e >= 0; i++) {
                const RemovalAwaited *a = &r->awaited[i];

                e = bus_append(reply, "(usss)", a->pid, strempty(record_get(a->process, "comm")),
                        strempty(record_get(a->process, "unit")),
                        strempty(record_get(a->process, "uses")));
        }
        return e < 0 ? e : sd_bus_message_close_container(reply);
}

GETTER(get_step_states)
{
        const Removal *r = userdata;
        size_t left = LIMIT_LIST;
        int e;

        e = sd_bus_message_open_container(reply, 'a', "(uusss)");
        for (size_t i = 0;
                i < r->plan->n_steps && e >= 0 && utf8_fits(&left, step_node(&r->plan->steps[i]));
                i++) {
                const Step *s = &r->plan->steps[i];

                e = bus_append(reply, "(uusss)", s->number, s->rung, s->ops->name, step_node(s),
                        step_state_to_string(r->steps[i]));
        }
        return e < 0 ? e : sd_bus_message_close_container(reply);
}

/* --- methods --- */

Removal *bus_removal_find(const Manager *m, const char *path)
{
        _cleanup_(freep) char *word = NULL;
        uint64_t id;

        if (sd_bus_path_decode(path, BUS_PATH_REMOVAL, &word) <= 0 || parse_u64(word, &id) < 0)
                return NULL;
        return manager_find_removal(m, id);
}

/* Looked up again by each call: polkit may have thought longer than the removal was remembered. */
static int find(Manager *m, sd_bus_message *msg, Removal **ret, sd_bus_error *error)
{
        *ret = bus_removal_find(m, sd_bus_message_get_path(msg));
        if (!*ret)
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_UNKNOWN_OBJECT, "That removal is no longer remembered");
        return 0;
}

int choose_own_removal(
        Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs, sd_bus_error *error)
{
        Removal *r;
        int e;

        e = find(m, msg, &r, error);
        if (e < 0)
                return e;
        needs->actions[needs->n_actions++] =
                r->request->uid == uid ? POLKIT_REMOVE : POLKIT_CANCEL_OTHER;
        return free_and_strdup(&needs->target, r->request->target);
}

static int reply_or_fail(sd_bus_message *msg, int e, const Failure *f, sd_bus_error *error)
{
        if (e >= 0)
                return sd_bus_reply_method_return(msg, NULL);
        return f->kind == FAILURE_NONE ? e : bus_error_set(error, f);
}

int call_cancel(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        Failure f = { 0 };
        char why[64];
        uid_t uid;
        Removal *r;
        int e;

        e = find(m, msg, &r, error);
        if (e < 0)
                return e;
        e = bus_sender_uid(m, msg, &uid);
        (void)snprintf(why, sizeof(why), e < 0 ? "a caller says so" : "uid %u says so", uid);
        return reply_or_fail(msg, removal_cancel(r, why, &f), &f, error);
}

int call_confirm(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        Failure f = { 0 };
        Removal *r;
        int e;

        e = find(m, msg, &r, error);
        if (e < 0)
                return e;
        return reply_or_fail(msg, removal_confirm(r, &f), &f, error);
}

int call_extend(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        Failure f = { 0 };
        uint64_t usec;
        Removal *r;
        int e;

        e = find(m, msg, &r, error);
        if (e < 0)
                return e;
        e = sd_bus_message_read(msg, "t", &usec);
        if (e < 0)
                return e;
        return reply_or_fail(msg, removal_extend(r, usec, &f), &f, error);
}

int call_wait(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        Failure f = { 0 };
        Removal *r;
        uid_t uid;
        int e;

        e = find(m, msg, &r, error);
        if (e < 0)
                return e;
        e = bus_sender_uid(m, msg, &uid);
        if (e >= 0)
                e = removal_wait(r, msg, uid, &f);
        if (e < 0)
                return f.kind == FAILURE_NONE ? e : bus_error_set(error, &f);
        return 1;
}

static int removal_method(sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
        return bus_dispatch(((Removal *)userdata)->manager, msg, error);
}

#define FIXED(name, type, get, offset)                                                             \
        SD_BUS_PROPERTY(name, type, get, offset, SD_BUS_VTABLE_PROPERTY_CONST)
#define CHANGING(name, type, get, offset)                                                          \
        SD_BUS_PROPERTY(name, type, get, offset, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

const sd_bus_vtable bus_removal_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, removal_method,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Confirm", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, removal_method,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Extend", SD_BUS_ARGS("t", usec), SD_BUS_NO_RESULT, removal_method,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", result), removal_method,
                SD_BUS_VTABLE_UNPRIVILEGED),
        FIXED("Id", "t", NULL, offsetof(Removal, id)),
        FIXED("Target", "s", get_target, 0),
        FIXED("Plan", "s", get_plan, 0),
        FIXED("PlanId", "s", get_plan_id, 0),
        FIXED("StartedByUID", "u", get_uid, 0),
        FIXED("StartedUSec", "t", NULL, offsetof(Removal, started_realtime_usec)),
        FIXED("Reason", "s", get_reason, 0),
        FIXED("TransactionId", "s", get_transaction, 0),
        CHANGING("State", "s", get_state, 0),
        CHANGING("Step", "s", get_step, 0),
        CHANGING("StepStates", "a(uusss)", get_step_states, 0),
        CHANGING("Road", "s", get_road, 0),
        CHANGING("Progress", "(isi)", get_progress, 0),
        CHANGING("Blockers", "a(sss)", get_blockers, 0),
        CHANGING("Deadline", "t", get_deadline, 0),
        CHANGING("Committed", "b", get_committed, 0),
        CHANGING("Cancelable", "b", get_cancelable, 0),
        CHANGING("Result", "s", NULL, offsetof(Removal, result)),
        CHANGING("EndedUSec", "t", NULL, offsetof(Removal, ended_realtime_usec)),
        CHANGING("Error", "(ss)", get_error, 0),
        FIXED("EstimateUSec", "t", get_estimate, 0),
        CHANGING("FrozenUSec", "t", NULL, offsetof(Removal, frozen_usec)),
        CHANGING("Killed", "a(usss)", get_killed, 0),
        CHANGING("Awaited", "a(usss)", get_awaited, 0),
        SD_BUS_VTABLE_END,
};

static int find_object(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret, sd_bus_error *error)
{
        Removal *r = bus_removal_find(userdata, path);

        if (!r)
                return 0;
        *ret = r;
        return 1;
}

static int enumerate(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error)
{
        _cleanup_(strv_freep) char **paths = NULL;
        const Manager *m = userdata;

        for (size_t i = 0; i < m->n_removals; i++) {
                int e = strv_append(&paths, m->removals[i]->path);

                if (e < 0)
                        return e;
        }
        *ret = TAKE_PTR(paths);
        return 1;
}

int bus_removal_add(Manager *m)
{
        int r;

        r = sd_bus_add_fallback_vtable(m->bus, NULL, BUS_PATH_REMOVAL, BUS_INTERFACE_REMOVAL,
                bus_removal_vtable, find_object, m);
        if (r < 0)
                return r;
        r = sd_bus_add_node_enumerator(m->bus, NULL, BUS_PATH_REMOVAL, enumerate, m);
        return r < 0 ? r : 0;
}
