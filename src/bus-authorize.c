/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* polkit is asked asynchronously: a person may take minutes to type a password, and the daemon
 * answers others meanwhile. Whatever goes wrong on the way is a no. */

#include "bus-polkit.h"

#include "bus-signals.h"
#include "caller-limits.h"
#include "util/log.h"
#include "util/text.h"

/* A person at a keyboard; without one polkit answers at once. */
#define INTERACTIVE_USEC (120 * USEC_PER_SEC)

void bus_needs_done(BusNeeds *n)
{
        free(n->target);
        free(n->mode);
        free(n->road);
        free(n->devices);
        free(n->mounts);
        free(n->processes);
        *n = (BusNeeds){ 0 };
}

#if HAVE_POLKIT

struct Authorization {
        Authorization *next; /* in the manager's list */
        Manager *manager;
        sd_bus_message *msg;
        sd_bus_slot *slot; /* the bus owns it, and with it this */
        uid_t uid;
        BusNeeds needs;
        BusAllowed allowed;
        size_t asked; /* actions that were answered with yes */
};

/* The texts that a rule can look up, and the message of an action shows. */
static const struct {
        const char *key;
        size_t offset;
} details[] = {
        { "target", offsetof(BusNeeds, target) },
        { "mode", offsetof(BusNeeds, mode) },
        { "road", offsetof(BusNeeds, road) },
        { "devices", offsetof(BusNeeds, devices) },
        { "mounts", offsetof(BusNeeds, mounts) },
        { "processes", offsetof(BusNeeds, processes) },
};

static void authorization_unlink(Authorization *a)
{
        Authorization **at = &a->manager->authorizations;

        while (*at && *at != a)
                at = &(*at)->next;
        if (*at)
                *at = a->next;
}

static void authorization_free(void *userdata)
{
        Authorization *a = userdata;

        authorization_unlink(a);
        if (a->allowed.release)
                a->allowed.release(a->allowed.userdata);
        (void)sd_bus_message_unref(a->msg);
        bus_needs_done(&a->needs);
        free(a);
}

static int authorization_new(const Authorization *from, Authorization **ret)
{
        Authorization *a = malloc(sizeof(*a));

        if (!a)
                return -ENOMEM;
        *a = *from;
        a->msg = sd_bus_message_ref(from->msg);
        a->next = from->manager->authorizations;
        from->manager->authorizations = a;
        *ret = a;
        return 0;
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
                        return bus_denied(error, action, "polkit does not run, so only root may");
                log_warning("polkit does not answer about %s: %s", action, strna(e->message));
                return bus_denied(error, action, "polkit could not be asked");
        }
        r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &yes, &challenge);
        if (r < 0)
                return bus_denied(error, action, "polkit gave an answer that makes no sense");
        if (yes)
                return 1;
        if (challenge)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                        "%s needs interactive authorisation", action);
        return bus_denied(error, action, "polkit says no");
}

/* What was asked about goes on with the next question: a slot takes its userdata along. */
static int ask_next(Authorization *a)
{
        Authorization *next;
        int r;

        r = authorization_new(a, &next);
        if (r < 0)
                return r;
        a->needs = (BusNeeds){ 0 };
        a->allowed.release = NULL;
        r = polkit_ask(next);
        if (r < 0)
                authorization_free(next);
        return r;
}

static int on_polkit(sd_bus_message *reply, void *userdata, sd_bus_error *unused)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Authorization *a = userdata;
        int r;

        r = polkit_answer(reply, a->needs.actions[a->asked], &error);
        if (r == 1 && ++a->asked < a->needs.n_actions)
                r = ask_next(a);
        else if (r == 1)
                r = a->allowed.call(a->manager, a->msg, a->allowed.userdata, &error);
        if (r < 0)
                bus_answer_error(a->msg, r, &error);
        return 0;
}

static int append_details(sd_bus_message *q, const BusNeeds *needs)
{
        int r;

        r = sd_bus_message_open_container(q, 'a', "{ss}");
        for (size_t i = 0; i < ELEMENTSOF(details) && r >= 0; i++) {
                const char *text = *(char *const *)((const char *)needs + details[i].offset);

                if (text)
                        r = sd_bus_message_append(q, "{ss}", details[i].key, text);
        }
        return r < 0 ? r : sd_bus_message_close_container(q);
}

static bool is_interactive(const Authorization *a)
{
        return sd_bus_message_get_allow_interactive_authorization(a->msg) > 0;
}

static int polkit_message(const Authorization *a, sd_bus_message **ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *q = NULL;
        int r;

        r = sd_bus_message_new_method_call(a->manager->bus, &q, "org.freedesktop.PolicyKit1",
                "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
                "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(q, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                        sd_bus_message_get_sender(a->msg), a->needs.actions[a->asked]);
        if (r >= 0)
                r = append_details(q, &a->needs);
        if (r >= 0)
                r = sd_bus_message_append(q, "us", is_interactive(a) ? 1U : 0U, "");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(q);
        return 0;
}

/* Answered, timed out or the bus gone: the slot frees its question in any case, once it is asked.
 */
static int polkit_ask(Authorization *a)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *q = NULL;
        sd_bus_slot *slot = NULL;
        int r;

        r = polkit_message(a, &q);
        if (r == 0)
                r = sd_bus_call_async(a->manager->bus, &slot, q, on_polkit, a,
                        is_interactive(a) ? INTERACTIVE_USEC : 0);
        if (r < 0)
                return r;
        (void)sd_bus_slot_set_destroy_callback(slot, authorization_free);
        (void)sd_bus_slot_set_floating(slot, true);
        a->slot = slot;
        (void)sd_bus_slot_unref(slot);
        return 1;
}

static int check_limits(const Manager *m, uid_t uid, sd_bus_error *error)
{
        unsigned all = 0, own = 0;

        for (const Authorization *a = m->authorizations; a; a = a->next) {
                all++;
                own += a->uid == uid;
        }
        if (own >= LIMIT_AUTHORIZATIONS_USER)
                return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                        "%u questions to polkit about this user are open; answer them first", own);
        if (all >= LIMIT_AUTHORIZATIONS)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                        "Too many questions to polkit are open");
        return 0;
}

int bus_authorize(Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs,
        const BusAllowed *allowed, sd_bus_error *error)
{
        const Authorization first = {
                .manager = m, .msg = msg, .uid = uid, .needs = *needs, .allowed = *allowed
        };
        Authorization *a;
        int r;

        r = check_limits(m, uid, error);
        if (r < 0)
                return r;
        r = authorization_new(&first, &a);
        if (r < 0)
                return r;
        *needs = (BusNeeds){ 0 };
        r = polkit_ask(a);
        if (r < 0) {
                a->allowed.release = NULL;
                authorization_free(a);
        }
        return r;
}

/* The person is not waited for, and polkit takes its question back when whoever has asked leaves
 * the bus. */
void bus_authorize_abort_all(Manager *m)
{
        while (m->authorizations) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                Authorization *a = m->authorizations;
                sd_bus_slot *slot = sd_bus_slot_ref(a->slot);
                int r;

                authorization_unlink(a);
                r = sd_bus_error_set(&error, failure_info(FAILURE_CANCELLED)->bus_name,
                        "the daemon is stopping; nothing was done, ask again when it is back");
                bus_answer_error(a->msg, r, &error);
                (void)sd_bus_slot_set_floating(slot, false);
                (void)sd_bus_slot_unref(slot);
        }
}

#else

void bus_authorize_abort_all(Manager *m)
{
}

int bus_authorize(Manager *m, sd_bus_message *msg, uid_t uid, BusNeeds *needs,
        const BusAllowed *allowed, sd_bus_error *error)
{
        return bus_denied(error, needs->actions[0], "this build asks no polkit, so only root may");
}

#endif
