/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Authorisation. polkit is asked asynchronously: a person may take minutes to type a password, and
 * the daemon answers others meanwhile. Whatever goes wrong on the way is a no. */

#include "bus-polkit.h"

#include "bus-calls.h"
#include "bus.h"
#include "util/log.h"
#include "util/text.h"

/* A person at a keyboard; without one polkit answers at once. */
#define INTERACTIVE_USEC (120 * USEC_PER_SEC)
#define AUTHORIZATIONS_MAX 64

static const BusMethod methods[] = {
        { BUS_INTERFACE_MANAGER, "RequestRemove", call_request_remove, NULL,
                choose_request_remove },
        { BUS_INTERFACE_MANAGER, "PlanRemove", call_plan_remove, NULL, NULL },
        { BUS_INTERFACE_MANAGER, "ResolveTarget", call_resolve_target, NULL, NULL },
        { BUS_INTERFACE_MANAGER, "Inhibit", call_inhibit, NULL, choose_inhibit },
        { BUS_INTERFACE_MANAGER, "ListInhibitors", call_list_inhibitors, NULL, NULL },
        { BUS_INTERFACE_MANAGER, "ListRemovals", call_list_removals, NULL, NULL },
        { BUS_INTERFACE_MANAGER, "Reload", call_reload, POLKIT_MANAGE, NULL },
        { BUS_INTERFACE_REMOVAL, "Cancel", call_cancel, NULL, choose_own_removal },
        { BUS_INTERFACE_REMOVAL, "Confirm", call_confirm, NULL, choose_own_removal },
        { BUS_INTERFACE_REMOVAL, "Extend", call_extend, NULL, choose_own_removal },
        { BUS_INTERFACE_REMOVAL, "Wait", call_wait, NULL, NULL },
};

const BusMethod *bus_method_find(const char *interface, const char *member)
{
        for (size_t i = 0; i < ELEMENTSOF(methods); i++)
                if (streq(methods[i].interface, interface) && streq(methods[i].member, member))
                        return &methods[i];
        return NULL;
}

int bus_sender_uid(sd_bus_message *msg, uid_t *ret)
{
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        int r;

        r = sd_bus_query_sender_creds(msg, SD_BUS_CREDS_EUID, &creds);
        return r < 0 ? r : sd_bus_creds_get_euid(creds, ret);
}

static int denied(sd_bus_error *error, const char *action, const char *why)
{
        return sd_bus_error_setf(
                error, SD_BUS_ERROR_ACCESS_DENIED, "%s needs authorisation: %s", action, why);
}

static void needs_done(BusNeeds *n)
{
        free(n->target);
        free(n->mode);
}

static int call_handler(
        const BusMethod *method, Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        int r;

        r = sd_bus_message_rewind(msg, true);
        return r < 0 ? r : method->handler(m, msg, error);
}

#if HAVE_POLKIT

typedef struct Authorization {
        Manager *manager;
        const BusMethod *method;
        sd_bus_message *msg;
        BusNeeds needs;
        size_t asked; /* actions that were answered with yes */
} Authorization;

static void authorization_free(void *userdata)
{
        Authorization *a = userdata;

        a->manager->n_authorizations--;
        (void)sd_bus_message_unref(a->msg);
        needs_done(&a->needs);
        free(a);
}

static int polkit_ask(Authorization *a);

/* 1: yes. */
static int polkit_answer(sd_bus_message *reply, const char *action, sd_bus_error *error)
{
        int yes, challenge, r;

        if (sd_bus_message_is_method_error(reply, NULL)) {
                const sd_bus_error *e = sd_bus_message_get_error(reply);

                if (sd_bus_error_has_name(e, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
                        sd_bus_error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                        return denied(error, action, "polkit does not run, so only root may");
                log_warning("polkit does not answer about %s: %s", action, strna(e->message));
                return denied(error, action, "polkit could not be asked");
        }
        r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &yes, &challenge);
        if (r < 0)
                return denied(error, action, "polkit gave an answer that makes no sense");
        if (yes)
                return 1;
        if (challenge)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                        "%s needs interactive authorisation", action);
        return denied(error, action, "polkit says no");
}

static int on_polkit(sd_bus_message *reply, void *userdata, sd_bus_error *unused)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Authorization *a = userdata;
        int r;

        r = polkit_answer(reply, a->needs.actions[a->asked], &error);
        if (r == 1 && ++a->asked < a->needs.n_actions)
                r = polkit_ask(a);
        else if (r == 1)
                r = call_handler(a->method, a->manager, a->msg, &error);
        if (r < 0)
                (void)sd_bus_reply_method_errno(a->msg, r, &error);
        return 0;
}

static int polkit_message(const Authorization *a, sd_bus_message **ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *q = NULL;
        int r;

        r = sd_bus_message_new_method_call(a->manager->bus, &q, "org.freedesktop.PolicyKit1",
                "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
                "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(q, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                sd_bus_message_get_sender(a->msg), a->needs.actions[a->asked], 2, "target",
                strempty(a->needs.target), "mode", strempty(a->needs.mode),
                sd_bus_message_get_allow_interactive_authorization(a->msg) > 0 ? 1U : 0U, "");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(q);
        return 0;
}

/* A copy for the next question: a slot takes its userdata along when it goes. */
static int authorization_pass_on(Authorization *a, Authorization **ret)
{
        Authorization *next = malloc(sizeof(*next));

        if (!next)
                return -ENOMEM;
        *next = *a;
        next->msg = sd_bus_message_ref(a->msg);
        a->needs.target = a->needs.mode = NULL;
        a->manager->n_authorizations++;
        *ret = next;
        return 0;
}

static int polkit_ask(Authorization *a)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *q = NULL;
        sd_bus_slot *slot = NULL;
        Authorization *next = NULL;
        int r;

        r = polkit_message(a, &q);
        if (r == 0)
                r = authorization_pass_on(a, &next);
        if (r < 0)
                return r;
        r = sd_bus_call_async(a->manager->bus, &slot, q, on_polkit, next,
                sd_bus_message_get_allow_interactive_authorization(a->msg) > 0 ? INTERACTIVE_USEC
                                                                               : 0);
        if (r < 0) {
                authorization_free(next);
                return r;
        }
        /* Answered, timed out or the bus gone: the slot frees its question in any case. */
        (void)sd_bus_slot_set_destroy_callback(slot, authorization_free);
        (void)sd_bus_slot_set_floating(slot, true);
        (void)sd_bus_slot_unref(slot);
        return 1;
}

static int authorize(const BusMethod *method, Manager *m, sd_bus_message *msg, BusNeeds *needs,
        sd_bus_error *error)
{
        Authorization first = { .manager = m, .method = method, .msg = msg, .needs = *needs };
        int r;

        if (m->n_authorizations >= AUTHORIZATIONS_MAX)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                        "Too many questions to polkit are open");
        r = polkit_ask(&first);
        *needs = first.needs;
        return r;
}

#else

static int authorize(const BusMethod *method, Manager *m, sd_bus_message *msg, BusNeeds *needs,
        sd_bus_error *error)
{
        return denied(error, needs->actions[0], "this build asks no polkit, so only root may");
}

#endif

static int find_needs(const BusMethod *method, Manager *m, sd_bus_message *msg, uid_t uid,
        BusNeeds *needs, sd_bus_error *error)
{
        if (method->choose)
                return method->choose(m, msg, uid, needs, error);
        needs->actions[needs->n_actions++] = method->action;
        return 0;
}

int bus_dispatch(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        /* D-Bus lets a caller leave the interface out; such a call finds no row. */
        const BusMethod *method = bus_method_find(strempty(sd_bus_message_get_interface(msg)),
                strempty(sd_bus_message_get_member(msg)));
        BusNeeds needs = { 0 };
        uid_t uid;
        int r;

        if (!method)
                return denied(
                        error, strempty(sd_bus_message_get_member(msg)), "nobody may call this");
        if (!method->action && !method->choose)
                return call_handler(method, m, msg, error);
        r = bus_sender_uid(msg, &uid);
        if (r < 0)
                return denied(error, method->member, "the caller is unknown");
        r = find_needs(method, m, msg, uid, &needs, error);
        if (r >= 0)
                /* polkit says yes to root whatever its rules are; asking would only make root
                 * depend on polkit. */
                r = uid == 0 ? call_handler(method, m, msg, error)
                             : authorize(method, m, msg, &needs, error);
        needs_done(&needs);
        return r;
}

int bus_method(sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
        return bus_dispatch(userdata, msg, error);
}
