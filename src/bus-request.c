/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls that need a planner: RequestRemove, PlanRemove, ResolveTarget. The caller's message is
 * kept until the planner has answered; the loop goes on meanwhile. */

#include <inttypes.h>

#include "bus-calls.h"
#include "bus-error.h"
#include "bus-guests.h"
#include "bus-options.h"
#include "bus-signals.h"
#include "bus-sender.h"
#include "caller-limits.h"
#include "manager-inhibitors.h"
#include "manager-shutdown.h"
#include "planner.h"
#include "policy-overrides.h"
#include "removal-inhibit.h"
#include "removal-log.h"
#include "topology.h"
#include "util/fault.h"
#include "util/text.h"

/* A yes that came at once is about the plan that was shown; a person's may be about yesterday's. */
#define FRESH_USEC USEC_PER_SEC

static void question_leave_guests(Question *q)
{
        if (q->guest)
                bus_guest_leave(q->manager, q->uid);
        q->guest = false;
}

/* By whoever has it no longer; the last one frees it. */
static void question_release(Question *q)
{
        if (q->planning || q->asking)
                return;
        question_leave_guests(q);
        (void)sd_bus_message_unref(q->msg);
        request_free(q->req);
        verdict_free(q->verdict);
        graph_free(q->graph);
        free(q);
}

static int parse_target(const char *target, Request *req, Failure *f)
{
        if (!*target || strlen(target) > LIMIT_TARGET)
                return failure_set(f, FAILURE_INVALID_TARGET, 0, NULL, "the target is %s",
                        *target ? "too long" : "empty");
        return free_and_strdup(&req->target, target);
}

int bus_request_parse(Manager *m, sd_bus_message *msg, Request **ret, Failure *f)
{
        _cleanup_(request_freep) Request *req = request_new();
        const char *target;
        int r;

        if (!req)
                return -ENOMEM;
        r = sd_bus_message_read(msg, "s", &target);
        if (r < 0)
                return r;
        r = parse_target(target, req, f);
        if (r < 0)
                return r;
        r = bus_options_parse(msg, req, f);
        if (r < 0)
                return r;
        r = bus_sender_uid(m, msg, &req->uid);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(req);
        return 0;
}

static int fail(sd_bus_error *error, int r, const Failure *f)
{
        return f->kind == FAILURE_NONE ? r : bus_error_set(error, f);
}

static void on_answer(PlannerAnswer *a, void *userdata)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Question *q = userdata;
        int r;

        q->planning = false;
        if (a->failure.kind != FAILURE_NONE)
                r = bus_error_set(&error, &a->failure);
        else
                r = q->answer(q, a, &error);
        if (r < 0)
                bus_answer_error(q->msg, r, &error);
        question_release(q);
}

int bus_ask(Manager *m, sd_bus_message *msg, Request *req, bool topology,
        int (*answer)(Question *q, PlannerAnswer *a, sd_bus_error *error), sd_bus_error *error)
{
        Question *q = malloc(sizeof(*q));
        Failure f = { 0 };
        int r;

        r = q ? 0 : -ENOMEM;
        if (r == 0 && req->uid != 0)
                r = bus_guest_enter(m, req->uid, &f);
        if (r < 0) {
                request_free(req);
                free(q);
                return fail(error, r, &f);
        }
        *q = (Question){ .manager = m,
                .msg = sd_bus_message_ref(msg),
                .req = req,
                .uid = req->uid,
                .answer = answer };
        q->guest = req->uid != 0;
        q->asked_usec = now_usec();
        r = planner_ask(m, topology ? NULL : req, req->uid, on_answer, q, &f);
        if (r < 0) {
                question_release(q);
                return fail(error, r, &f);
        }
        q->planning = true;
        return 1;
}

/* --- RequestRemove --- */

static int check_room(Manager *m, const Request *req, char *const *closure, Failure *f)
{
        uint64_t max = m->config->policies[0]->max_parallel;
        const char *going = shutdown_refuses(m->shutdown);
        const Removal *other;
        int r;

        if (req->dry_run)
                return 0;
        if (going)
                return failure_set(f, FAILURE_CANCELLED, 0, NULL, "%s", going);
        other = manager_find_related(m, closure, req->target);
        if (other)
                return failure_set(f, FAILURE_IN_PROGRESS, 0, req->target,
                        "removal %" PRIu64 " (%s) is working on it and is %s", other->id,
                        other->request->target, removal_state_to_string(other->state));
        r = manager_check_distrusted(m, f);
        if (r < 0)
                return r;
        if (manager_n_alive(m) >= max)
                return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, req->target,
                        "%" PRIu64 " removals are under way, and MaxParallel= allows no more", max);
        return 0;
}

/* Nobody can be shown such a plan, and so nobody can have agreed to it. */
static int check_plan_length(const Request *req, const Plan *plan, Failure *f)
{
        _cleanup_(freep) char *text = NULL;
        int r;

        r = plan_print(plan, &text);
        if (r < 0 || strlen(text) <= LIMIT_PLAN)
                return r;
        return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, req->target,
                "its plan has %zu bytes, and more than %d cannot be told; unmount what is mounted "
                "so often, or stop who uses it",
                strlen(text), LIMIT_PLAN);
}

static int check_plan_id(const Request *req, Plan *plan, Failure *f)
{
        int r;

        r = plan_seal(plan);
        if (r < 0)
                return r;
        if (!req->plan_id || streq(req->plan_id, plan->id))
                return 0;
        return failure_set(f, FAILURE_PLAN_CHANGED, 0, req->target,
                "the plan is now %.12s and no longer the %.12s that was reviewed; look at it again",
                plan->id, req->plan_id);
}

/* What the plan is about, and not what the caller's word would mean by now: a link below /dev may
 * lead elsewhere since, and polkit would be told of other mounts than those that go. */
static int mark_planned(const Question *q, Failure *f)
{
        const Record *target = q->verdict->plan->target;
        Node *start =
                graph_find(q->graph, strempty(record_get(target, "kind")), strempty(target->name));

        graph_unmark(q->graph);
        if (!start)
                return failure_set(f, FAILURE_VANISHED, -ESTALE, q->req->target,
                        "what was planned for is not in the snapshot; ask again");
        topology_mark_closure(q->graph, start);
        return 0;
}

/* The snapshot's arrays are whole, but one may be about to lose a disk. */
static int check_legs(const Question *q, Failure *f)
{
        const Config *c = q->manager->config;
        const Removal *other = manager_find_step(q->manager, &step_leg);

        if (c->policies[0]->while_degraded || !other ||
                overrides_have(q->req->overrides, OVERRIDE_DEGRADED))
                return 0;
        return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, q->req->target,
                "removal %" PRIu64 " (%s) takes a disk out of an md array, and WhileDegraded=no "
                "allows no other one meanwhile; wait for its end, or override the check %s",
                other->id, other->request->target, override_info(OVERRIDE_DEGRADED)->name);
}

/* Removals that have begun since the snapshot count as well: of two questions at a time, both may
 * have been told that there is room for one. */
static int check_budget(const Question *q, Failure *f)
{
        Graph *g = q->graph;
        int r;

        r = mark_planned(q, f);
        if (r == 0)
                r = manager_mark_leaving(q->manager, g, q->asked_usec);
        if (r == 0)
                r = limits_check_removed(q->manager->config, g, q->req, f);
        return r < 0 ? r : check_legs(q, f);
}

static int check_verdict(const Question *q, Failure *f)
{
        _cleanup_(strv_freep) char **closure = NULL;
        int r;

        r = check_plan_id(q->req, q->verdict->plan, f);
        if (r == 0)
                r = check_plan_length(q->req, q->verdict->plan, f);
        if (r < 0)
                return r;
        r = strv_split(strempty(q->verdict->closure), &closure);
        if (r < 0)
                return r;
        r = check_room(q->manager, q->req, closure, f);
        return r < 0 ? r : check_budget(q, f);
}

/* One may have been taken while the planner looked. */
static int check_inhibitors(const Manager *m, const Request *req, const char *closure, Failure *f)
{
        _cleanup_(strv_freep) char **names = NULL;
        const Inhibitor *i;
        size_t k = 0;
        int r;

        r = strv_split(strempty(closure), &names);
        if (r < 0 || req->ignore_inhibitors)
                return r;
        i = inhibitors_next(m, INHIBIT_BLOCK, names, &k);
        return i ? inhibitor_refuse(i, f) : 0;
}

/* Whoever is not allowed anything shall not fill the journal either. */
static void log_refused(const Question *q, const Failure *blockers, size_t n)
{
        if (q->req && q->allowed)
                removal_log_refused(q->req, blockers, n);
}

static int begin(Question *q, sd_bus_error *error)
{
        Removal *removal;
        Failure f = { 0 };
        int r;

        r = check_verdict(q, &f);
        if (r == 0)
                r = inhibitors_refresh(q->manager, q->graph);
        if (r == 0)
                r = check_inhibitors(q->manager, q->req, q->verdict->closure, &f);
        if (r == 0)
                r = removal_new(
                        q->manager, &q->req, &q->verdict->plan, q->verdict->closure, &removal, &f);
        if (r < 0) {
                if (f.kind != FAILURE_NONE)
                        log_refused(q, &f, 1);
                return fail(error, r, &f);
        }
        removal_log_ignored(removal);
        if (removal->request->bind_to_caller && removal_bind_caller(removal, q->msg) < 0) {
                /* The caller is gone already: what it asked for is over before it begins. */
                (void)removal_cancel(removal, "its caller left the bus", NULL);
                return -ECANCELED;
        }
        bus_answer(q->msg, "o", removal->path);
        (void)removal_start(removal, NULL);
        return 1;
}

static void on_polkit_done(void *userdata)
{
        Question *q = userdata;

        q->asking = false;
        question_release(q);
}

/* What was shown to the person is what must be done now. */
static int plan_again(Question *q, sd_bus_error *error)
{
        Failure f = { 0 };
        int r;

        q->asked_usec = now_usec();
        r = free_and_strdup(&q->req->plan_id, q->verdict->plan->id);
        if (r == 0)
                r = planner_ask(q->manager, q->req, q->uid, on_answer, q, &f);
        if (r < 0)
                return fail(error, r, &f);
        q->planning = true;
        return 1;
}

/* Asked for by somebody who has left meanwhile: nobody would hear how it went. */
static bool has_left(const Question *q)
{
        uid_t uid;

        return bus_sender_uid(q->manager, q->msg, &uid) < 0 || uid != q->req->uid;
}

static int on_allowed(Manager *m, sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
        Question *q = userdata;

        if (has_left(q))
                return bus_denied(error, "RequestRemove", "the caller has left");
        if (m->stopping)
                return sd_bus_error_set(
                        error, failure_info(FAILURE_CANCELLED)->bus_name, "the daemon is stopping");
        q->allowed = true;
        if (now_usec() - q->planned_usec > FRESH_USEC)
                return plan_again(q, error);
        return begin(q, error);
}

static int find_needs(const Question *q, BusNeeds *needs)
{
        bool force = q->req->overrides || q->req->mode == MODE_FORCED ||
                     streq(strempty(q->verdict->mode), "forced");

        needs->actions[needs->n_actions++] = force ? POLKIT_REMOVE_FORCED : POLKIT_REMOVE;
        if (q->req->ignore_inhibitors)
                needs->actions[needs->n_actions++] = POLKIT_REMOVE_IGNORE_INHIBIT;
        return bus_needs_from_plan(needs, q->req, q->verdict, q->graph);
}

static int ask_polkit(Question *q, sd_bus_error *error)
{
        const BusAllowed allowed = { .call = on_allowed, .release = on_polkit_done, .userdata = q };
        BusNeeds needs = { 0 };
        Failure f = { 0 };
        int r;

        /* Also marks the closure. */
        r = check_verdict(q, &f);
        if (r == 0)
                r = find_needs(q, &needs);
        if (r == 0)
                r = bus_authorize(q->manager, q->msg, q->req->uid, &needs, &allowed, error);
        bus_needs_done(&needs);
        if (r < 0)
                return fail(error, r, &f);
        q->asking = true;
        q->planned_usec = now_usec();
        question_leave_guests(q);
        return 1;
}

static int answer_request(Question *q, PlannerAnswer *a, sd_bus_error *error)
{
        const Verdict *v = a->verdict;

        if (!v->plan && v->n_blockers == 0)
                return -EBADMSG;
        /* polkit says yes to root whatever its rules are; asking would only make root depend on
         * it. */
        q->allowed |= q->req->uid == 0;
        if (!v->plan) {
                log_refused(q, v->blockers, v->n_blockers);
                return bus_error_set_blockers(error, v->blockers, v->n_blockers);
        }
        verdict_free(q->verdict);
        graph_free(q->graph);
        q->verdict = TAKE_PTR(a->verdict);
        q->graph = TAKE_PTR(a->graph);
        if (q->allowed && q->req->uid != 0 && has_left(q))
                return bus_denied(error, "RequestRemove", "the caller has left");
        return q->allowed ? begin(q, error) : ask_polkit(q, error);
}

/* The one method that asks polkit late: what a person is asked about is the plan. */
int call_request_remove(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        _cleanup_(request_freep) Request *req = NULL;
        Failure f = { 0 };
        const Removal *other;
        int r;

        (void)fault_point("request", "");
        r = bus_request_parse(m, msg, &req, &f);
        if (r < 0)
                return fail(error, r, &f);
        /* By its word alone; what else is related shows only in the plan. */
        other = req->dry_run ? NULL : manager_find_related(m, NULL, req->target);
        if (other) {
                (void)check_room(m, req, NULL, &f);
                return bus_error_set(error, &f);
        }
        return bus_ask(m, msg, TAKE_PTR(req), false, answer_request, error);
}

/* --- PlanRemove, ResolveTarget --- */

static int answer_plan(Question *q, PlannerAnswer *a, sd_bus_error *error)
{
        Failure f = { 0 };
        int r = a->verdict->plan ? check_plan_length(q->req, a->verdict->plan, &f) : 0;

        if (r < 0)
                return fail(error, r, &f);
        return bus_plan_reply(q->msg, q->req, a->verdict, a->graph);
}

int call_plan_remove(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        _cleanup_(request_freep) Request *req = NULL;
        Failure f = { 0 };
        int r;

        r = bus_request_parse(m, msg, &req, &f);
        if (r < 0)
                return fail(error, r, &f);
        return bus_ask(m, msg, TAKE_PTR(req), false, answer_plan, error);
}

/* The snapshot is fresh: the object that is named in the answer must exist when the caller looks.
 */
static int answer_resolve(Question *q, PlannerAnswer *a, sd_bus_error *error)
{
        _cleanup_(device_table_freep) DeviceTable *t = NULL;
        _cleanup_(freep) char *path = NULL;
        const Node *device;
        Failure f = { 0 };
        Node *node;
        int r;

        r = topology_resolve(a->graph, q->req->target, &node, &f);
        if (r < 0)
                return fail(error, r, &f);
        device = device_node(node);
        if (!device) {
                (void)failure_set(&f, FAILURE_NO_SUCH_TARGET, 0, q->req->target,
                        "it does not stand on persistent memory");
                return bus_error_set(error, &f);
        }
        r = device_path(node_name(device), &path);
        if (r < 0)
                return r;
        r = device_table_new(a->graph, &t);
        if (r < 0)
                return r;
        /* A snapshot that was begun earlier may come in later; only what is missing is worth it. */
        if (!device_table_find(q->manager->devices, node_name(device)))
                manager_take_devices(q->manager, TAKE_PTR(t));
        return sd_bus_reply_method_return(q->msg, "o", path);
}

int call_resolve_target(Manager *m, sd_bus_message *msg, sd_bus_error *error)
{
        _cleanup_(request_freep) Request *req = request_new();
        Failure f = { 0 };
        const char *target;
        int r;

        if (!req)
                return -ENOMEM;
        r = sd_bus_message_read(msg, "s", &target);
        if (r < 0)
                return r;
        r = parse_target(target, req, &f);
        if (r == 0)
                r = bus_sender_uid(m, msg, &req->uid);
        if (r < 0)
                return fail(error, r, &f);
        return bus_ask(m, msg, TAKE_PTR(req), true, answer_resolve, error);
}
