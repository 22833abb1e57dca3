/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recovery of all ledgers at once (--recover), and what a run offers to its steps. The steps are
 * made up; each says what it saw. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "fixture-run.h"
#include "recover.h"
#include "util/log.h"

static unsigned n_reverted, n_dropped;
static bool refuse; /* the next check */
static int load_fails;

int __real_ledger_load_id(const char *where, uint64_t id, StepLookup lookup, Ledger **ret);
int __wrap_ledger_load_id(const char *where, uint64_t id, StepLookup lookup, Ledger **ret);

/* No descriptor is free just then, or somebody has deleted it. */
int __wrap_ledger_load_id(const char *where, uint64_t id, StepLookup lookup, Ledger **ret)
{
        return load_fails < 0 ? load_fails : __real_ledger_load_id(where, id, lookup, ret);
}

static int fake_apply(const Step *s, Run *run, Failure *f)
{
        return 0;
}

static int fake_revert(const Step *s, Run *run, Failure *f)
{
        n_reverted++;
        return 0;
}

static int fake_check(const Step *s, Run *run, Failure *f)
{
        return refuse ? -EBUSY : 0;
}

static void dropped(void *object)
{
        n_dropped++;
        assert_string_equal(object, "object");
}

/* What one step opens, later ones find, and the end of the run closes. */
static int fake_hold(const Step *s, Run *run, Failure *f)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_null(run_held(run, "a", "pmem0"));
        assert_int_equal(run_hold(run, "a", "pmem0", fd), 0);
        assert_int_equal(run_held(run, "a", "pmem0")->fd, fd);
        assert_null(run_held(run, "a", "pmem1"));
        assert_null(run_held(run, "b", "pmem0"));
        assert_int_equal(
                run_hold_object(run, "b", "pmem0", (void *)(uintptr_t) "object", dropped), 0);
        assert_int_equal(
                run_hold_object(run, "c", "pmem0", (void *)(uintptr_t) "object", dropped), 0);
        run_drop(run, "a", "pmem0");
        assert_true(fcntl(fd, F_GETFD) < 0);
        run_drop(run, "b", "pmem0");
        assert_int_equal(n_dropped, 1);
        run_drop(run, "c", "nothing of that name");
        assert_non_null(run_held(run, "c", "pmem0"));
        return 0;
}

/* Where names differ only at their end, what one of them holds is not taken for the other's. */
static int fake_hold_long(const Step *s, Run *run, Failure *f)
{
        _cleanup_(freep) char *one = string_printf("%0200d", 1), *two = string_printf("%0200d", 2);
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int other_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(one && two && fd >= 0 && other_fd >= 0);
        assert_int_equal(run_hold(run, "claim", one, fd), 0);
        assert_null(run_held(run, "claim", two));
        assert_int_equal(run_hold(run, "claim", two, other_fd), 0);
        assert_int_equal(run_held(run, "claim", two)->fd, other_fd);
        run_drop(run, "claim", two);
        assert_true(fcntl(fd, F_GETFD) >= 0);
        assert_true(fcntl(other_fd, F_GETFD) < 0);
        return 0;
}

static int fake_ask(const Step *s, Run *run, Failure *f)
{
        RunFacts facts;

        assert_string_equal(run_process(run, 0)->name, "812");
        assert_null(run_process(run, 1));
        assert_int_equal(run_note(run, "newcomer", "813", "comm", "late", "unit", NULL, NULL), 0);
        assert_string_equal(run_process(run, 1)->name, "813");
        assert_null(record_get(run_process(run, 1), "unit"));
        assert_null(run_process(run, 2));
        assert_int_equal(run_note(run, "newcomer", "814", NULL), 0);
        assert_string_equal(run_noted(run, "newcomer", 1)->name, "814");
        assert_string_equal(run_recall(run, "newcomer", NULL)->name, "814");
        assert_string_equal(record_get(run_recall(run, "newcomer", "813"), "comm"), "late");
        assert_null(run_recall(run, "newcomer", "815"));

        assert_true(run_only_planned(run));
        assert_false(run_committed(run) || run_has_climbed(run) || run_can_climb(run));
        assert_true(run_stands(run, "ask") && !run_stands(run, "final"));
        run_facts(run, &facts);
        assert_string_equal(facts.target, "namespace0.0");
        assert_string_equal(facts.reason, "module A3 fails");
        assert_string_equal(facts.road, "graceful");
        return 0;
}

static int fake_freeze(const Step *s, Run *run, Failure *f)
{
        assert_false(run_frozen(run, "pmem0"));
        assert_int_equal(run_note(run, "frozen", "pmem0", NULL), 0);
        assert_int_equal(run_note(run, "frozen", "pmem1", NULL), 0);
        assert_int_equal(run_note(run, "thawed", "pmem1", NULL), 0);
        assert_true(run_frozen(run, "pmem0"));
        assert_false(run_frozen(run, "pmem1"));
        assert_int_equal(run_note(run, "thawed", "pmem0", NULL), 0);
        assert_false(run_frozen(run, "pmem0"));
        /* Of many only one in a second. */
        for (int i = 0; i < 100; i++)
                run_progress(run, s, "%d processes are left", 100 - i);
        return 0;
}

static const StepOps ops_plain = { "plain", "doing", fake_check, fake_apply, fake_revert };
static const StepOps ops_hold = { "hold", "holding", NULL, fake_hold, fake_revert };
static const StepOps ops_hold_long = { "hold-long", "holding", NULL, fake_hold_long, fake_revert };
static const StepOps ops_ask = { "ask", "asking", NULL, fake_ask, fake_revert };
static const StepOps ops_freeze = { "freeze", "freezing", NULL, fake_freeze, fake_revert };
static const StepOps ops_final = { "final", "ending", NULL, fake_apply, NULL };

/* Takes the place of the pipeline's registry: policy.o is not linked into this program. */
const StepOps *policy_find_step(const char *name)
{
        static const StepOps *const all[] = { &ops_plain, &ops_hold, &ops_hold_long, &ops_ask,
                &ops_freeze, &ops_final };

        return find_among(all, ELEMENTSOF(all), name);
}

static Ledger *new_ledger(const char *const steps[])
{
        Request *req = request_new();
        Plan *p = start_plan();

        assert_int_equal(free_and_strdup(&req->reason, "module A3 fails"), 0);
        assert_int_equal(free_and_strdup(&req->plan_id, "0123"), 0);
        assert_int_equal(plan_add_road(p, record_new("road", "graceful")), 0);
        assert_int_equal(plan_add_process(p, record_new("process", "812")), 0);
        for (; *steps; steps++)
                add_step(p, *steps, 0, "node", NULL);
        return create_ledger(dir, req, p);
}

static const char *const two[] = { "plain", "plain", NULL };

/* A removal whose worker died in its first step. */
static Ledger *new_unfinished(void)
{
        _cleanup_(record_freep) Record *begin = record_new("begin", "1");
        Ledger *l = new_ledger(two);

        assert_int_equal(ledger_append(l, begin), 0);
        return l;
}

static int reset(void **state)
{
        n_reverted = n_dropped = 0;
        refuse = false;
        empty_dir();
        return 0;
}

static void test_services(void **state)
{
        static const char *const steps[] = { "hold", "hold-long", "ask", "freeze", NULL };
        _cleanup_(ledger_freep) Ledger *l = new_ledger(steps);
        Failure f = { 0 };

        assert_int_equal(run_plan(l, -EBADF, &f), 0);
        assert_string_equal(state_of(l), "succeeded");
        assert_int_equal(n_dropped, 2);
        assert_non_null(ledger_last(l, "progress"));
        assert_string_equal(
                record_get(ledger_last(l, "progress"), "text"), "100 processes are left");
}

/* Every check comes before the first apply, so that a refusal leaves nothing to undo. */
static void test_check_refuses(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = new_ledger(two);
        Failure f = { 0 };

        refuse = true;
        assert_int_equal(run_plan(l, -EBADF, &f), -EBUSY);
        assert_string_equal(f.step, "plain");
        assert_string_equal(state_of(l), "rolled-back");
        assert_null(ledger_last(l, "begin"));
        assert_int_equal(n_reverted, 0);
}

static void test_recover_all(void **state)
{
        _cleanup_(ledger_freep) Ledger *a = new_unfinished(), *b = new_unfinished();
        _cleanup_(ledger_freep) Ledger *done = new_ledger(two);
        Failure f = { 0 };

        assert_int_equal(run_plan(done, -EBADF, &f), 0);
        a->fd = safe_close(a->fd);
        b->fd = safe_close(b->fd);
        assert_int_equal(recover_all(dir, USEC_PER_SEC), 0);
        assert_string_equal(state_of(a), "rolled-back");
        assert_string_equal(state_of(b), "rolled-back");
        assert_int_equal(n_reverted, 2);
        /* Once is enough. */
        assert_int_equal(recover_all(dir, USEC_PER_SEC), 0);
        assert_int_equal(n_reverted, 2);
        assert_string_equal(state_of(done), "succeeded");
}

/* One that is not obeyed keeps nobody else from being recovered, and is not passed over in silence.
 */
static void test_damaged_among_others(void **state)
{
        _cleanup_(ledger_freep) Ledger *bad = new_unfinished(), *good = new_unfinished();

        assert_int_equal(pwrite(bad->fd, "X", 1, 0), 1);
        good->fd = safe_close(good->fd);
        assert_true(recover_all(dir, USEC_PER_SEC) < 0);
        assert_string_equal(state_of(good), "rolled-back");
        assert_int_equal(n_reverted, 1);
}

/* What says nothing about the ledger does not make it one that is to be deleted. */
static void test_shortage(void **state)
{
        static const int shortages[] = { -ENOMEM, -EMFILE, -ENFILE, -EIO };
        _cleanup_(ledger_freep) Ledger *l = new_unfinished();

        l->fd = safe_close(l->fd);
        for (size_t i = 0; i < ELEMENTSOF(shortages); i++) {
                Failure f = { 0 };

                load_fails = shortages[i];
                assert_int_equal(recover_all(dir, USEC_PER_SEC), load_fails);
                assert_int_equal(recover_refuse(dir, l->id, load_fails, &f), load_fails);
                assert_non_null(strstr(f.sentence, "--recover"));
                assert_null(strstr(f.sentence, "delete"));
        }
        load_fails = -ENOENT;
        assert_int_equal(recover_all(dir, USEC_PER_SEC), 0);
        load_fails = 0;
        assert_string_equal(state_of(l), "");
        assert_int_equal(recover_all(dir, USEC_PER_SEC), 0);
        assert_string_equal(state_of(l), "rolled-back");
}

/* Whoever has the lock may be asleep in the kernel: nothing is done twice, and nobody waits for
 * ever. */
static void test_locked(void **state)
{
        _cleanup_(ledger_freep) Ledger *l = new_unfinished(), *other = new_unfinished();

        other->fd = safe_close(other->fd);
        assert_true(recover_all(dir, 150 * USEC_PER_MSEC) < 0);
        assert_string_equal(state_of(l), "");
        assert_string_equal(state_of(other), "rolled-back");
        l->fd = safe_close(l->fd);
        assert_int_equal(recover_all(dir, USEC_PER_SEC), 0);
        assert_string_equal(state_of(l), "rolled-back");
}

/* Writes the end while we wait for the lock: what was read before the wait does not count. */
static void test_finished_while_waiting(void **state)
{
        Ledger *l = new_unfinished();
        _cleanup_(record_freep) Record *finished = record_new("finished", NULL);
        int status;
        pid_t pid;

        assert_int_equal(record_set(finished, "state", "succeeded"), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                pause_usec(300 * USEC_PER_MSEC);
                _exit(ledger_append(l, finished) < 0);
        }
        /* The child's copy of the descriptor keeps the lock. */
        l->fd = safe_close(l->fd);
        assert_int_equal(recover_all(dir, 60 * USEC_PER_SEC), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_string_equal(state_of(l), "succeeded");
        assert_int_equal(n_reverted, 0);
        ledger_free(l);
}

static void test_nothing_there(void **state)
{
        assert_int_equal(recover_all("/nonexistent/folder", USEC_PER_SEC), 0);
        assert_int_equal(recover_all(dir, USEC_PER_SEC), 0);
}

static int group_setup(void **state)
{
        log_set_max_level(LOG_CRIT);
        return mkdtemp(dir) ? 0 : -1;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_services, reset),
                cmocka_unit_test_setup(test_check_refuses, reset),
                cmocka_unit_test_setup(test_recover_all, reset),
                cmocka_unit_test_setup(test_damaged_among_others, reset),
                cmocka_unit_test_setup(test_shortage, reset),
                cmocka_unit_test_setup(test_locked, reset),
                cmocka_unit_test_setup(test_finished_while_waiting, reset),
                cmocka_unit_test_setup(test_nothing_there, reset),
        };

        return cmocka_run_group_tests(tests, group_setup, remove_dir);
}
