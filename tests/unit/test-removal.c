/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state table, cell by cell, and removals that live through it: this program is also the worker
 * that removal.c starts (--run), and plays from a script what a worker may do, die included. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "manager.h"
#include "removal-record.h"
#include "util/log.h"
#include "util/text.h"

static char dir[] = "/tmp/pmemremoved-test-XXXXXX";
static int load_fails;

int __real_ledger_load_id(const char *where, uint64_t id, StepLookup lookup, Ledger **ret);
int __wrap_ledger_load_id(const char *where, uint64_t id, StepLookup lookup, Ledger **ret);

/* No descriptor is free just then, or somebody has deleted it. */
int __wrap_ledger_load_id(const char *where, uint64_t id, StepLookup lookup, Ledger **ret)
{
        return load_fails < 0 ? load_fails : __real_ledger_load_id(where, id, lookup, ret);
}

/* --- the table --- */

static void test_names(void **state)
{
        for (int s = 0; s < _REMOVAL_STATE_MAX; s++) {
                const char *name = removal_state_to_string((RemovalState)s);

                assert_non_null(name);
                assert_int_equal(removal_state_from_string(name), s);
        }
        for (int e = 0; e < _EVENT_MAX; e++)
                assert_non_null(removal_event_to_string((RemovalEvent)e));
        assert_null(removal_state_to_string(_REMOVAL_STATE_INVALID));
        assert_true(removal_state_from_string("nonsense") < 0);
}

static void check_cell(RemovalState s, RemovalEvent e)
{
        const RemovalCell *c = removal_cell(s, e);

        assert_true(c->next < _REMOVAL_STATE_MAX && c->action < _ACTION_MAX);
        /* A refusal says why, and changes nothing; nothing else has a reason. */
        assert_int_equal(c->action == ACTION_REFUSE, c->refusal != FAILURE_NONE);
        if (c->action == ACTION_REFUSE)
                assert_int_equal(c->next, s);
        if (c->action == ACTION_UNEXPECTED)
                return;
        /* The end is the end, and is reached exactly by the cells that clean up. */
        if (removal_state_ended(s))
                assert_int_equal(c->next, s);
        else
                assert_int_equal(removal_state_ended(c->next), c->action == ACTION_END);
        /* Nothing goes back to a beginning. */
        if (s != REMOVAL_QUEUED)
                assert_int_not_equal(c->next == REMOVAL_QUEUED, 1);
        /* Past the commit point nobody stops it. */
        if (s == REMOVAL_COMMITTED && (e == EVENT_CANCEL || e == EVENT_DEADLINE))
                assert_true(
                        c->next == s && (c->action == ACTION_REFUSE || c->action == ACTION_NONE));
        /* Out of "committed" only the worker's own evidence leads back. */
        if (s == REMOVAL_COMMITTED && c->next == REMOVAL_ROLLING_BACK)
                assert_int_equal(e, EVENT_ROLLBACK);
}

static void test_every_cell(void **state)
{
        for (int s = 0; s < _REMOVAL_STATE_MAX; s++)
                for (int e = 0; e < _EVENT_MAX; e++)
                        check_cell((RemovalState)s, (RemovalEvent)e);
}

/* What people and timers do may come at any time; what a worker says last is always heard. */
static void test_always_expected(void **state)
{
        static const RemovalEvent last[] = { EVENT_FINISHED_SUCCEEDED, EVENT_FINISHED_PARTIAL,
                EVENT_FINISHED_ROLLED_BACK, EVENT_FINISHED_STUCK };
        static const RemovalState ends[] = { REMOVAL_SUCCEEDED, REMOVAL_PARTIAL,
                REMOVAL_ROLLED_BACK, REMOVAL_STUCK };

        for (int s = 0; s < _REMOVAL_STATE_MAX; s++) {
                assert_int_not_equal(
                        removal_cell((RemovalState)s, EVENT_CANCEL)->action, ACTION_UNEXPECTED);
                assert_int_not_equal(
                        removal_cell((RemovalState)s, EVENT_CONFIRM)->action, ACTION_UNEXPECTED);
                assert_int_not_equal(
                        removal_cell((RemovalState)s, EVENT_DEADLINE)->action, ACTION_UNEXPECTED);
                for (size_t i = 0; i < ELEMENTSOF(last) && !removal_state_ended((RemovalState)s);
                        i++)
                        assert_int_equal(removal_cell((RemovalState)s, last[i])->next, ends[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(last); i++)
                assert_int_equal(removal_event_finished(ends[i]), last[i]);
        assert_true(removal_event_finished(REMOVAL_DRAINING) < 0);
}

/* A death between start and end leads to another worker, and is never past over. */
static void test_death(void **state)
{
        for (int s = REMOVAL_CHECKING; s < REMOVAL_SUCCEEDED; s++) {
                const RemovalCell *lost = removal_cell((RemovalState)s, EVENT_WORKER_LOST);

                assert_int_equal(lost->action, ACTION_RECOVER);
                assert_int_equal(lost->next,
                        s == REMOVAL_COMMITTED ? REMOVAL_COMMITTED : REMOVAL_ROLLING_BACK);
                assert_int_equal(
                        removal_cell((RemovalState)s, EVENT_WORKER_GONE)->next, REMOVAL_STUCK);
        }
}

/* --- a removal without a bus --- */

static void add_step(Plan *p, const char *op)
{
        Record *args = record_new("step", NULL);

        assert_non_null(args);
        assert_int_equal(record_set(args, "op", op), 0);
        assert_int_equal(plan_add_step(p, policy_find_step(op), 0, args), 0);
}

static Plan *make_plan(void)
{
        Plan *p = plan_new();
        Record *road = record_new("road", "graceful");

        assert_non_null(p);
        assert_non_null(road);
        p->target = record_new("target", "namespace0.0");
        assert_non_null(p->target);
        assert_int_equal(record_set(p->target, "kind", "namespace"), 0);
        assert_int_equal(record_set(road, "rung", "1"), 0);
        assert_int_equal(plan_add_road(p, road), 0);
        add_step(p, "announce");
        add_step(p, "confirm");
        add_step(p, "commit");
        assert_int_equal(plan_seal(p), 0);
        return p;
}

static Manager *make_manager(void)
{
        Manager *m = calloc(1, sizeof(*m));

        assert_non_null(m);
        m->ledger_dir = dir;
        assert_true(sd_event_new(&m->event) >= 0);
        return m;
}

static Removal *make_removal(Manager *m, bool dry_run)
{
        Request *req = request_new();
        Plan *p = make_plan();
        Failure f = { 0 };
        Removal *r;

        assert_non_null(req);
        req->target = strdup("namespace0.0");
        req->dry_run = dry_run;
        assert_int_equal(removal_new(m, &req, &p, "namespace0.0 region0", &r, &f), 0);
        assert_null(req);
        assert_null(p);
        return r;
}

static void drop_manager(Manager *m)
{
        for (size_t i = 0; i < m->n_removals; i++)
                (void)unlink(strempty(m->removals[i]->ledger_path));
        (void)manager_free(m);
}

/* removal_event() obeys the table in every cell that starts no process. */
static void test_event_obeys(void **state)
{
        for (int s = 0; s < _REMOVAL_STATE_MAX; s++)
                for (int e = 0; e < _EVENT_MAX; e++) {
                        const RemovalCell *c = removal_cell((RemovalState)s, (RemovalEvent)e);
                        Failure f = { 0 };
                        Manager *m;
                        Removal *r;

                        if (c->action == ACTION_SPAWN || c->action == ACTION_RECOVER)
                                continue;
                        m = make_manager();
                        r = make_removal(m, false);
                        r->state = (RemovalState)s;
                        (void)removal_event(r, (RemovalEvent)e, &f);
                        if (c->action == ACTION_UNEXPECTED || c->action == ACTION_REFUSE) {
                                assert_int_equal(r->state, s);
                                assert_int_not_equal(f.kind, FAILURE_NONE);
                        } else
                                assert_int_equal(r->state, c->next);
                        if (c->action == ACTION_END) {
                                assert_non_null(r->result);
                                assert_false(removal_alive(r));
                                assert_null(r->ledger);
                        }
                        drop_manager(m);
                }
}

static void test_dry_run(void **state)
{
        Manager *m = make_manager();
        Removal *r = make_removal(m, true);
        struct stat st;
        char path[128];

        assert_int_equal(removal_start(r, NULL), 0);
        assert_int_equal(r->state, REMOVAL_SUCCEEDED);
        assert_string_equal(r->result, "done");
        assert_non_null(strstr(r->progress, "nothing was done"));
        (void)snprintf(path, sizeof(path), "%s/%llu.ledger", dir, (unsigned long long)r->id);
        assert_int_equal(stat(path, &st), -1);
        drop_manager(m);
}

static void take(Removal *r, const char *line, RemovalEvent expected)
{
        _cleanup_(record_freep) Record *rec = NULL;

        assert_int_equal(record_parse(line, &rec), 0);
        assert_int_equal(removal_take(r, rec), expected);
}

static void test_records(void **state)
{
        Manager *m = make_manager();
        Removal *r = make_removal(m, false);

        take(r, "begin 1 step=announce", EVENT_STEP_BEGUN);
        assert_int_equal(r->steps[0], STEP_RUNNING);
        assert_non_null(r->step_text);
        take(r, "end 1", EVENT_STEP_ENDED);
        assert_int_equal(r->steps[0], STEP_DONE);
        assert_int_equal(removal_percent(r), 33);
        take(r, "held 812 comm=db uses=fd example=/mnt/x", _EVENT_INVALID);
        take(r, "held 812 comm=db uses=fd example=/mnt/x", _EVENT_INVALID);
        assert_int_equal(r->n_blockers, 1);
        assert_string_equal(r->blockers[0].node, "812 (db)");
        take(r, "killed 812 comm=db unit=db.service reason=why", _EVENT_INVALID);
        take(r, "killed nonsense comm=db", _EVENT_INVALID);
        assert_int_equal(r->n_killed, 1);
        assert_int_equal(r->killed[0].pid, 812);
        take(r,
                "awaited text=\"waiting for 813 (db)\" 1=\"process 813 comm=db uses=fd\" 2=junk "
                "3=\"process x\"",
                _EVENT_INVALID);
        assert_int_equal(r->n_awaited, 1);
        assert_int_equal(r->awaited[0].pid, 813);
        assert_string_equal(record_get(r->awaited[0].process, "uses"), "fd");
        assert_string_equal(r->progress, "waiting for 813 (db)");
        take(r, "awaited", _EVENT_INVALID);
        assert_int_equal(r->n_awaited, 0);
        assert_null(r->progress);
        take(r, "awaited text=x 1=\"process 813\"", _EVENT_INVALID);
        take(r, "end 2", EVENT_STEP_ENDED);
        assert_int_equal(r->n_awaited, 0);
        take(r, "awaited text=x 1=\"process 813\"", _EVENT_INVALID);
        take(r, "frozen pmem0", _EVENT_INVALID);
        assert_true(manager_frozen(m));
        take(r, "thawed pmem0 usec=42", _EVENT_INVALID);
        assert_false(manager_frozen(m));
        assert_int_equal(r->frozen_usec, 42);
        /* The attempt is where it begins, also when it is read back long after. */
        take(r, "freezing pmem0 at=7", _EVENT_INVALID);
        take(r, "frozen pmem0", _EVENT_INVALID);
        assert_int_equal(r->frozen_since_usec, 7);
        take(r, "thawed pmem0 usec=1", _EVENT_INVALID);
        take(r, "freezing pmem0 at=8", _EVENT_INVALID);
        assert_true(manager_frozen(m));
        take(r, "not-frozen pmem0", _EVENT_INVALID);
        assert_false(manager_frozen(m));
        assert_int_equal(r->frozen_usec, 43);
        take(r, "fail 2 kind=busy err=16 node=/mnt/pmem sentence=held", EVENT_STEP_FAILED);
        take(r, "fail 3 kind=timed-out err=110 node=x", EVENT_STEP_FAILED);
        assert_int_equal(r->failure.kind, FAILURE_BUSY);
        assert_int_equal(r->failure.err, -16);
        take(r, "committed", EVENT_COMMITTED);
        assert_true(r->committed);
        take(r, "rollback", EVENT_ROLLBACK);
        assert_false(r->committed);
        take(r, "reverted 2", _EVENT_INVALID);
        assert_int_equal(r->steps[1], STEP_REVERTED);
        /* Steps that are not in the plan, words that are not in the table. */
        take(r, "begin 99", EVENT_STEP_BEGUN);
        take(r, "begin", EVENT_STEP_BEGUN);
        take(r, "future 1 a=b", _EVENT_INVALID);
        take(r, "finished result=refused state=rolled-back kind=busy err=16", _EVENT_INVALID);
        assert_int_equal(r->last_word, REMOVAL_ROLLED_BACK);
        removal_forget(r);
        assert_int_equal(r->n_killed + r->n_blockers + r->n_awaited + r->frozen_usec, 0);
        assert_int_equal(r->last_word, _REMOVAL_STATE_INVALID);
        drop_manager(m);
}

static void test_related(void **state)
{
        char other[] = "namespace1.0", ours[] = "region0";
        char *const unrelated[] = { other, NULL }, *const related[] = { other, ours, NULL };
        Manager *m = make_manager();
        Removal *r = make_removal(m, false);

        assert_ptr_equal(manager_find_related(m, unrelated, "x"), NULL);
        assert_ptr_equal(manager_find_related(m, related, "x"), r);
        assert_ptr_equal(manager_find_related(m, NULL, "namespace0.0"), r);
        assert_ptr_equal(manager_removal_of(m, "region0"), r);
        (void)removal_cancel(r, "test", NULL);
        assert_int_equal(r->state, REMOVAL_ROLLED_BACK);
        assert_string_equal(r->result, "cancelled");
        assert_ptr_equal(manager_find_related(m, related, "x"), NULL);
        drop_manager(m);
}

static void test_retention(void **state)
{
        Manager *m = make_manager();
        Removal *stuck = make_removal(m, false);
        uint64_t first;

        stuck->state = REMOVAL_DRAINING;
        (void)removal_event(stuck, EVENT_FINISHED_STUCK, NULL);
        for (int i = 0; i < 40; i++)
                (void)removal_cancel(make_removal(m, false), "test", NULL);
        first = m->removals[1]->id;
        assert_null(stuck->expiry_timer);
        assert_non_null(m->removals[1]->expiry_timer);
        manager_prune_removals(m);
        assert_int_equal(m->n_removals, 33);
        assert_ptr_equal(manager_find_removal(m, stuck->id), stuck);
        assert_null(manager_find_removal(m, first));
        drop_manager(m);
}

static FailureKind extended(Removal *r, uint64_t usec)
{
        Failure f = { 0 };

        return removal_extend(r, usec, &f) < 0 ? f.kind : FAILURE_NONE;
}

static FailureKind confirmed(Removal *r)
{
        Failure f = { 0 };

        return removal_confirm(r, &f) < 0 ? f.kind : FAILURE_NONE;
}

static void test_extend(void **state)
{
        static const struct {
                RemovalState state;
                FailureKind kind;
        } cases[] = {
                { REMOVAL_DRAINING, FAILURE_NOT_SUPPORTED },
                { REMOVAL_COMMITTED, FAILURE_PAST_COMMIT },
                { REMOVAL_ROLLING_BACK, FAILURE_CANCELLED },
                { REMOVAL_SUCCEEDED, FAILURE_PAST_COMMIT },
                { REMOVAL_ROLLED_BACK, FAILURE_CANCELLED },
                { REMOVAL_STUCK, FAILURE_ROLLBACK_FAILED },
        };
        Manager *m = make_manager();
        Removal *r = make_removal(m, false);
        uint64_t before;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                r->state = cases[i].state;
                assert_int_equal(extended(r, 1), cases[i].kind);
        }
        /* Waiting for a confirmation that has a time. */
        r->state = REMOVAL_DRAINING;
        r->request->confirm_timeout_usec = 60 * USEC_PER_SEC;
        assert_int_equal(removal_event(r, EVENT_CONFIRM_WANTED, NULL), 0);
        before = removal_deadline_realtime(r);
        assert_int_equal(extended(r, 1000 * USEC_PER_SEC), FAILURE_NONE);
        assert_true(removal_deadline_realtime(r) >= before + 999 * USEC_PER_SEC);
        /* Absurd values end at "never", not in the past. */
        assert_int_equal(extended(r, UINT64_MAX - r->confirm_deadline_usec - 1), FAILURE_NONE);
        assert_true(removal_deadline_realtime(r) == 0 || removal_deadline_realtime(r) > before);
        assert_int_equal(extended(r, UINT64_MAX), FAILURE_NONE);
        assert_int_equal(extended(r, UINT64_MAX), FAILURE_NONE);
        assert_int_equal(removal_deadline_realtime(r), 0);
        assert_int_equal(r->confirm_deadline_usec, UINT64_MAX);
        r->stopping = true;
        assert_int_equal(extended(r, 1), FAILURE_CANCELLED);
        drop_manager(m);
}

static void test_confirm_refused(void **state)
{
        static const struct {
                RemovalState state;
                FailureKind kind;
        } cases[] = {
                { REMOVAL_QUEUED, FAILURE_NOT_SUPPORTED },
                { REMOVAL_CHECKING, FAILURE_NOT_SUPPORTED },
                { REMOVAL_DRAINING, FAILURE_NOT_SUPPORTED },
                { REMOVAL_COMMITTED, FAILURE_PAST_COMMIT },
                { REMOVAL_ROLLING_BACK, FAILURE_CANCELLED },
                { REMOVAL_SUCCEEDED, FAILURE_PAST_COMMIT },
                { REMOVAL_ROLLED_BACK, FAILURE_CANCELLED },
                { REMOVAL_STUCK, FAILURE_ROLLBACK_FAILED },
        };
        Manager *m = make_manager();
        Removal *r = make_removal(m, false);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                r->state = cases[i].state;
                assert_int_equal(confirmed(r), cases[i].kind);
                assert_int_equal(r->state, cases[i].state);
        }
        /* Told to stop, and the worker has not answered yet. */
        r->state = REMOVAL_WAITING;
        r->stopping = true;
        assert_int_equal(confirmed(r), FAILURE_CANCELLED);
        assert_int_equal(r->state, REMOVAL_WAITING);
        drop_manager(m);
}

/* --- with a worker --- */

static void script(const char *name, const char *text)
{
        _cleanup_(freep) char *path = string_printf("%s/%s", dir, name);
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void live(Manager *m, Removal *r)
{
        for (unsigned i = 0; i < 10000 && removal_alive(r); i++)
                assert_true(sd_event_run(m->event, 10 * USEC_PER_SEC) >= 0);
        assert_false(removal_alive(r));
}

static Removal *play(Manager *m, const char *first, const char *again)
{
        Removal *r = make_removal(m, false);

        script("run", first);
        script("recover", again);
        assert_int_equal(removal_start(r, NULL), 0);
        assert_null(r->ledger);
        return r;
}

static void test_success(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m,
                "both begin 1\nboth end 1\nboth begin 3\nboth committed\nboth end 3\n"
                "both finished result=done state=succeeded\n",
                "");

        live(m, r);
        assert_int_equal(r->state, REMOVAL_SUCCEEDED);
        assert_string_equal(r->result, "done");
        assert_int_equal(r->n_lost, 0);
        assert_int_equal(r->steps[1], STEP_SKIPPED);
        drop_manager(m);
}

/* The socket lost everything; the ledger has it. */
static void test_lost_records(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m,
                "ledger begin 1\nledger end 1\nledger killed 812 comm=db reason=x\nledger "
                "committed\n"
                "ledger finished result=done state=succeeded\n",
                "");

        live(m, r);
        assert_int_equal(r->state, REMOVAL_SUCCEEDED);
        assert_int_equal(r->n_lost, 0);
        assert_int_equal(r->n_killed, 1);
        assert_int_equal(r->steps[0], STEP_DONE);
        drop_manager(m);
}

static void run_until(const Manager *m, const Removal *r, RemovalState state)
{
        uint64_t deadline = usec_add(now_usec(), 30 * USEC_PER_SEC);

        while (r->state != state && now_usec() < deadline)
                assert_true(sd_event_run(m->event, USEC_PER_SEC) >= 0);
        assert_int_equal(r->state, state);
}

/* The socket was full, and the worker goes on: what was said meanwhile is known at once, in its
 * order, and nothing of it twice. */
static void test_missed_records(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m,
                "both begin 1\nledger killed 812 comm=db reason=x\nledger confirm-wanted\n"
                "socket missed until=4\nhear confirm\nledger end 1\nledger committed\n"
                "ledger freezing pmem0 at=7\nsocket missed until=7\nsocket missed until=7\n"
                "both killed 813 comm=db reason=x\nhear go\n"
                "both finished result=done state=succeeded\n",
                "");

        run_until(m, r, REMOVAL_WAITING);
        assert_int_equal(r->n_killed, 1);
        assert_int_equal(r->steps[0], STEP_RUNNING);
        assert_int_equal(removal_confirm(r, NULL), 0);
        run_until(m, r, REMOVAL_COMMITTED);
        assert_true(r->committed && manager_frozen(m));
        assert_false(removal_cancelable(r));
        while (r->n_killed < 2)
                assert_true(sd_event_run(m->event, 10 * USEC_PER_SEC) >= 0);
        assert_int_equal(worker_tell(r->worker, "go"), 0);
        live(m, r);
        assert_int_equal(r->state, REMOVAL_SUCCEEDED);
        assert_int_equal(r->n_killed, 2);
        assert_int_equal(r->n_lost, 0);
        drop_manager(m);
}

static void test_worker_dies(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m, "both begin 1\ndie\n",
                "both rollback\nboth reverted 1\n"
                "both finished result=failed state=rolled-back kind=failed err=130\n");

        live(m, r);
        assert_int_equal(r->state, REMOVAL_ROLLED_BACK);
        assert_int_equal(r->n_lost, 1);
        assert_true(r->recovered);
        drop_manager(m);
}

/* No descriptor is left at the moment when recovery has to be started: that passes, and what the
 * dead worker left must not wait for a human until then. */
static void test_worker_dies_when_nothing_is_left(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m, "both begin 1\ndie\n",
                "both rollback\nboth reverted 1\n"
                "both finished result=failed state=rolled-back kind=failed err=130\n");
        struct rlimit old, none;

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
        none = (struct rlimit){ .rlim_cur = 3, .rlim_max = old.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        while (r->state != REMOVAL_ROLLING_BACK && removal_alive(r))
                assert_true(sd_event_run(m->event, 10 * USEC_PER_SEC) >= 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
        assert_true(removal_alive(r));
        live(m, r);
        assert_int_equal(r->state, REMOVAL_ROLLED_BACK);
        assert_int_equal(r->n_lost, 1);
        drop_manager(m);
}

static void test_worker_dies_committed(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m, "both begin 1\nboth committed\ndie\n",
                "both begin 3\nboth end 3\nboth finished result=done state=succeeded\n");

        live(m, r);
        assert_int_equal(r->state, REMOVAL_SUCCEEDED);
        assert_true(r->committed);
        drop_manager(m);
}

static void test_worker_always_dies(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m, "die\n", "die\n");

        live(m, r);
        assert_int_equal(r->state, REMOVAL_STUCK);
        assert_string_equal(r->result, "stuck");
        assert_int_equal(r->n_lost, 4);
        drop_manager(m);
}

/* Whoever may write to its ledger orders what recovery does: it is not obeyed any more, and as
 * nobody knows what its worker left, nothing else begins. */
static void test_worker_dies_and_its_ledger_is_foreign(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m, "both begin 1\ngive-away\ndie\n", "die\n");
        Failure f = { 0 };

        live(m, r);
        assert_int_equal(r->state, REMOVAL_STUCK);
        assert_int_equal(r->n_lost, 1);
        assert_true(manager_check_distrusted(m, &f) < 0);
        assert_string_equal(f.node, r->ledger_path);
        assert_non_null(strstr(f.sentence, "restart pmemremoved"));
        drop_manager(m);
}

static void test_told(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m,
                "both begin 1\nboth confirm-wanted\nhear confirm\nhear cancel\n"
                "both finished result=cancelled state=rolled-back kind=cancelled err=125\n",
                "");

        run_until(m, r, REMOVAL_WAITING);
        assert_int_equal(removal_event(r, EVENT_CONFIRM, NULL), 0);
        assert_int_equal(r->state, REMOVAL_DRAINING);
        assert_int_equal(removal_cancel(r, "test", NULL), 0);
        assert_false(removal_cancelable(r));
        assert_int_equal(r->state, REMOVAL_DRAINING);
        live(m, r);
        assert_int_equal(r->state, REMOVAL_ROLLED_BACK);
        assert_string_equal(r->result, "cancelled");
        drop_manager(m);
}

/* A daemon that starts anew reads both kinds: unfinished ones go to a worker, finished are history.
 */
/* A good ledger that cannot be read just now is neither distrusted nor passed over: no daemon,
 * until it can. One that was deleted just now is nothing. */
static void test_history_in_a_shortage(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m, "both begin 1\nboth committed\nhear cancel\n", "");

        run_until(m, r, REMOVAL_COMMITTED);
        (void)manager_free(m);

        m = make_manager();
        load_fails = -EMFILE;
        assert_int_equal(manager_load_history(m), -EMFILE);
        load_fails = -ENOENT;
        assert_int_equal(manager_load_history(m), 0);
        load_fails = 0;
        assert_int_equal(m->n_distrusted, 0);
        assert_int_equal(m->n_removals, 0);
        script("recover", "both finished result=done state=succeeded ended=4711\n");
        assert_int_equal(manager_load_history(m), 0);
        assert_int_equal(m->n_removals, 1);
        live(m, m->removals[0]);
        assert_int_equal(m->removals[0]->state, REMOVAL_SUCCEEDED);
        drop_manager(m);
}

static void test_load(void **state)
{
        Manager *m = make_manager();
        Removal *r = play(m, "both begin 1\nboth committed\nhear cancel\n", "");
        uint64_t id = r->id, started = r->started_realtime_usec;

        run_until(m, r, REMOVAL_COMMITTED);
        (void)manager_free(m);

        m = make_manager();
        assert_int_equal(removal_load(m, id, &r), 0);
        assert_true(removal_alive(r));
        assert_true(r->committed);
        assert_true(removal_concerns(r, "region0"));
        script("recover", "both finished result=done state=succeeded ended=4711\n");
        assert_int_equal(removal_recover(r), 0);
        assert_int_equal(r->state, REMOVAL_COMMITTED);
        live(m, r);
        (void)manager_free(m);

        m = make_manager();
        assert_int_equal(removal_load(m, id, &r), 0);
        assert_int_equal(r->state, REMOVAL_SUCCEEDED);
        assert_string_equal(r->result, "done");
        assert_int_equal(r->started_realtime_usec, started);
        assert_int_equal(r->ended_realtime_usec, 4711);
        assert_int_equal(r->steps[0], STEP_RUNNING);
        assert_false(r->replaying);
        drop_manager(m);
}

/* --- the worker --- */

static void do_line(Ledger *l, const char *verb, const char *text)
{
        _cleanup_(record_freep) Record *rec = NULL;
        char heard[256];

        if (streq(verb, "die"))
                (void)raise(SIGKILL);
        if (streq(verb, "give-away")) {
                if (fchmod(l->fd, 0666) < 0)
                        _exit(7);
                return;
        }
        if (streq(verb, "hear")) {
                ssize_t n = recv(4, heard, sizeof(heard) - 1, 0);

                if (n <= 0 || strncmp(heard, text, strlen(text)) != 0)
                        _exit(3);
                return;
        }
        if (record_parse(text, &rec) < 0)
                _exit(4);
        if (!streq(verb, "socket") && ledger_append(l, rec) < 0)
                _exit(5);
        if (!streq(verb, "ledger") && send(4, text, strlen(text), MSG_NOSIGNAL) < 0)
                _exit(6);
}

static int be_worker(bool recover)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        _cleanup_(freep) char *path =
                string_printf("%s/%s", strempty(getenv("TEST_DIR")), recover ? "recover" : "run");
        FILE *f = fopen(path, "re");
        char line[512];

        if (!f || ledger_open_fd(3, policy_find_step, &l) < 0)
                return EXIT_FAILURE;
        while (fgets(line, sizeof(line), f)) {
                char *text = line + strcspn(line, " \n");

                line[strcspn(line, "\n")] = '\0';
                if (*text)
                        *text++ = '\0';
                do_line(l, line, text);
        }
        (void)fclose(f);
        return EXIT_SUCCESS;
}

static int setup(void **state)
{
        sigset_t set;

        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGCHLD);
        if (!mkdtemp(dir) || setenv("TEST_DIR", dir, true) < 0)
                return -1;
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -1 : log_set_target("null");
}

static int teardown(void **state)
{
        static const char *const files[] = { "run", "recover", "last-id" };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_(freep) char *path = string_printf("%s/%s", dir, files[i]);

                (void)unlink(path);
        }
        return rmdir(dir);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_every_cell),
                cmocka_unit_test(test_always_expected),
                cmocka_unit_test(test_death),
                cmocka_unit_test(test_event_obeys),
                cmocka_unit_test(test_dry_run),
                cmocka_unit_test(test_records),
                cmocka_unit_test(test_related),
                cmocka_unit_test(test_retention),
                cmocka_unit_test(test_extend),
                cmocka_unit_test(test_confirm_refused),
                cmocka_unit_test(test_success),
                cmocka_unit_test(test_lost_records),
                cmocka_unit_test(test_missed_records),
                cmocka_unit_test(test_worker_dies),
                cmocka_unit_test(test_worker_dies_when_nothing_is_left),
                cmocka_unit_test(test_worker_dies_committed),
                cmocka_unit_test(test_worker_always_dies),
                cmocka_unit_test(test_worker_dies_and_its_ledger_is_foreign),
                cmocka_unit_test(test_told),
                cmocka_unit_test(test_history_in_a_shortage),
                cmocka_unit_test(test_load),
        };

        if (argc > 1 && streq(argv[1], "--run"))
                return be_worker(argc > 2);
        return cmocka_run_group_tests(tests, setup, teardown);
}
