/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory that somebody else takes away in the middle of a run: what the run says of it, what it
 * gives back, and what it must not bind again. The engine, the ledger and the unbind are the real
 * ones; the nd bus is made up. */

#include <signal.h>

#include "fixture-run.h"

#define DEVICE "pfn0.0"

/* What the kernel would hold: the unbind is made by a child. */
static struct World {
        bool bound;
        bool refuses; /* to bind */
        int binds;
        int asked;
        bool never_returns;
        bool child_dies; /* before its write */
        bool mute;       /* the way back finds no room in the ledger */
} * world;
int __wrap_bind_driver(const char *device, char *buf, size_t size);
int __wrap_bind_attach(const char *driver, const char *device);
int __wrap_bind_detach(const char *driver, const char *device);

int __wrap_bind_driver(const char *device, char *buf, size_t size)
{
        assert_true(streq(device, DEVICE) || streq(device, "namespace0.0"));
        (void)snprintf(buf, size, "nd_pmem");
        return world->bound ? 0 : -ENOENT;
}

int __wrap_bind_attach(const char *driver, const char *device)
{
        if (world->refuses)
                return -ENODEV;
        world->bound = true;
        world->binds++;
        return 0;
}

int __wrap_bind_detach(const char *driver, const char *device)
{
        world->asked++;
        if (world->child_dies)
                (void)raise(SIGKILL);
        while (world->never_returns)
                (void)pause();
        if (!world->bound)
                return -ENODEV;
        world->bound = false;
        return 0;
}

/* Of a region: there is nothing on it. */
int __wrap_sysfs_list(const char *folder, char ***ret);
int __wrap_sysfs_list(const char *folder, char ***ret)
{
        return strv_split("", ret);
}

/* The console of this machine is not the test's. */
int __wrap_console_level_get(int *ret);
int __wrap_console_level_get(int *ret)
{
        return -ENOENT;
}

int __real_ledger_append(Ledger *l, const Record *rec);
int __wrap_ledger_append(Ledger *l, const Record *rec);
int __wrap_ledger_append(Ledger *l, const Record *rec)
{
        return world->mute && ledger_last(l, "rollback") && !streq(rec->verb, "finished")
                       ? -ENOSPC
                       : __real_ledger_append(l, rec);
}

static int take_away(const Step *s, Run *run, Failure *f)
{
        world->bound = false;
        return 0;
}

static int come_back(const Step *s, Run *run, Failure *f)
{
        world->bound = true;
        return 0;
}

/* A region, which does not come back. */
static int disable(const Step *s, Run *run, Failure *f)
{
        world->refuses = true;
        return run_note(run, "disabling", "region0", NULL);
}

static int nothing(const Step *s, Run *run, Failure *f)
{
        return 0;
}

static int refuse(const Step *s, Run *run, Failure *f)
{
        return failure_set(f, FAILURE_BUSY, -EBUSY, "node", "made to fail");
}

/* As a mount is put back, or something thawed. */
static int give_back(const Step *s, Run *run, Failure *f)
{
        return world->bound ? 0
                            : failure_set(f, FAILURE_ROLLBACK_FAILED, -EIO, "node", "no device");
}

static const StepOps ops_turn = { "turn", "turning", NULL, nothing, give_back };
static const StepOps ops_mount = { "mount", "unmounting", NULL, nothing, give_back };
static const StepOps ops_intrude = { "intrude", "being hit", NULL, take_away, nothing };
static const StepOps ops_late = { "late", "being hit later", NULL, nothing, take_away };
static const StepOps ops_return = { "return", "being bound", NULL, nothing, come_back };
static const StepOps ops_disable = { "disable", "disabling", NULL, disable, nothing };
static const StepOps ops_fail = { "fail", "failing", NULL, refuse, nothing };

/* Takes the place of the pipeline's registry: policy.o is not linked into this program. */
const StepOps *policy_find_step(const char *name)
{
        static const StepOps *const all[] = { &ops_turn, &ops_mount, &ops_intrude, &ops_late,
                &ops_return, &ops_disable, &ops_fail, &step_commit, &step_unbind, &step_region };

        return find_among(all, ELEMENTSOF(all), name);
}

static const char *wait_usec = "60000000";

static Ledger *new_ledger(const char *const steps[])
{
        Plan *p = start_plan();

        for (; *steps; steps++) {
                bool forced = streq(*steps, "forced");
                const char *op = forced ? "unbind" : *steps;
                bool on_it = streq(op, "mount") || streq(op, "unbind");

                add_step(p, op, 0, "namespace0.0", "shutdown", forced ? "yes" : NULL, "device",
                        on_it ? DEVICE : NULL, "driver", "nd_pmem", "wait", wait_usec, NULL);
        }
        return create_ledger(dir, NULL, p);
}

/* Runs it, and leaves the failure in f; the state it ended in. */
static const char *run_in(struct World w, const char *const steps[], Failure *f)
{
        static char state[32];
        _cleanup_(ledger_freep) Ledger *l = new_ledger(steps);
        int r;

        *world = w;
        *f = (Failure){ 0 };
        r = run_plan(l, -EBADF, f);
        assert_true((r < 0) == (f->kind != FAILURE_NONE));
        (void)snprintf(state, sizeof(state), "%s",
                strempty(record_get(ledger_last(l, "finished"), "state")));
        return state;
}

static const char *run(const char *const steps[], Failure *f)
{
        return run_in((struct World){ .bound = true }, steps, f);
}

static void test_ours(void **state)
{
        static const char *const removed[] = { "mount", "unbind", NULL };
        static const char *const undone[] = { "mount", "unbind", "fail", NULL };
        Failure f;

        assert_string_equal(run(removed, &f), "succeeded");
        assert_false(world->bound);
        assert_string_equal(run(undone, &f), "rolled-back");
        assert_int_equal(f.kind, FAILURE_BUSY);
        assert_int_equal(world->binds, 1);
}

static void test_before_our_unbind(void **state)
{
        static const char *const steps[] = { "mount", "intrude", "unbind", NULL };
        Failure f;

        assert_string_equal(run(steps, &f), "rolled-back");
        assert_int_equal(f.kind, FAILURE_VANISHED);
        assert_non_null(strstr(f.sentence, DEVICE));
        assert_non_null(strstr(f.sentence, "unmounting namespace0.0"));
        assert_int_equal(world->binds, 0);
}

static void test_between_commit_and_unbind(void **state)
{
        static const char *const steps[] = { "commit", "intrude", "unbind", NULL };
        Failure f;

        assert_string_equal(run(steps, &f), "partial");
        assert_non_null(strstr(f.sentence, "somebody else"));
}

static void test_before_commit(void **state)
{
        static const char *const steps[] = { "mount", "intrude", "commit", "unbind", NULL };
        Failure f;

        assert_string_equal(run(steps, &f), "rolled-back");
        assert_int_equal(f.kind, FAILURE_VANISHED);
}

/* Bound again by us, and then taken away by somebody. */
static void test_on_the_way_back(void **state)
{
        static const char *const steps[] = { "mount", "late", "unbind", "fail", NULL };
        Failure f;

        assert_string_equal(run(steps, &f), "rolled-back");
        assert_int_equal(f.kind, FAILURE_VANISHED);
        assert_non_null(strstr(f.sentence, "made to fail"));
        assert_int_equal(world->binds, 1);
        assert_false(world->bound);
}

/* Its region brought it, so that there was nothing to bind; and then it was taken away. */
static void test_after_it_came_by_itself(void **state)
{
        static const char *const steps[] = { "mount", "late", "unbind", "return", "fail", NULL };
        Failure f;

        assert_string_equal(run(steps, &f), "rolled-back");
        assert_int_equal(f.kind, FAILURE_VANISHED);
        assert_int_equal(world->binds, 0);
}

/* Gone with the region that we have disabled: nobody else is to blame. */
static void test_our_region(void **state)
{
        static const char *const steps[] = { "unbind", "disable", "fail", NULL };
        Failure f;

        assert_string_equal(run(steps, &f), "stuck");
        assert_int_equal(f.kind, FAILURE_ROLLBACK_FAILED);
        assert_non_null(strstr(f.sentence, "could not be bound"));
}

/* What has nothing to do with the memory has no excuse. */
static void test_no_excuse(void **state)
{
        static const char *const steps[] = { "turn", "intrude", "unbind", NULL };
        Failure f;

        assert_string_equal(run(steps, &f), "stuck");
}

/* A rollback that was made is one, although nothing could be written about it. */
static void test_no_room_on_the_way_back(void **state)
{
        static const char *const steps[] = { "mount", "unbind", "fail", NULL };
        const struct World w = { .bound = true, .mute = true };
        Failure f;

        assert_string_equal(run_in(w, steps, &f), "rolled-back");
        assert_int_equal(f.kind, FAILURE_BUSY);
        assert_true(world->bound);
}

/* The filesystem is no longer frozen then: it is not asked again, and the cause is the true one. */
static void test_killed_before_its_write(void **state)
{
        static const char *const graceful[] = { "unbind", NULL };
        static const char *const forced[] = { "commit", "forced", NULL };
        const struct World w = { .bound = true, .child_dies = true };
        Failure f;

        for (int i = 0; i < 2; i++) {
                assert_string_equal(run_in(w, i == 0 ? graceful : forced, &f), "rolled-back");
                assert_non_null(strstr(f.sentence, "was killed before it could"));
                assert_int_equal(world->asked, 1);
                assert_true(world->bound);
        }
}

/* Whether its unbind was noted before it was made; where nobody noted such things yet, it is ours
 * if its step began. */
static void recover(bool old, const char *step, Failure *f)
{
        _cleanup_(ledger_freep) Ledger *l = NULL, *again = NULL;
        _cleanup_(record_freep) Record *begin = record_new("begin", "1");
        _cleanup_(freep) char *text = NULL, *older = NULL;
        const char *const steps[] = { step, "fail", NULL };
        const char *digest;

        l = new_ledger(steps);
        assert_int_equal(ledger_append(l, begin), 0);
        if (old) {
                assert_int_equal(read_full_file(l->path, 65536, &text, NULL), 0);
                digest = strstr(text, " digest=");
                assert_non_null(digest);
                older = string_printf("%.*s%s", (int)(digest - text), text, strchr(digest, '\n'));
                assert_int_equal(ftruncate(l->fd, 0), 0);
                assert_int_equal(write(l->fd, older, strlen(older)), strlen(older));
        }
        assert_int_equal(ledger_load(l->path, policy_find_step, &again), 0);
        *world = (struct World){ .bound = false };
        *f = (Failure){ 0 };
        assert_int_equal(run_recover(again, -EBADF, f), 0);
}

/* That the time was up is told as that, and not as a failure of the region. */
static void test_region_that_stays(void **state)
{
        static const char *const steps[] = { "region", NULL };
        Failure f;

        wait_usec = "300000";
        (void)alarm(60);
        assert_string_equal(
                run_in((struct World){ .bound = true, .never_returns = true }, steps, &f),
                "rolled-back");
        (void)alarm(0);
        wait_usec = "60000000";
        assert_int_equal(f.kind, FAILURE_TIMED_OUT);
}

static void test_older_ledger(void **state)
{
        static const char *const steps[] = { "unbind", "region" };
        Failure f;

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                recover(false, steps[i], &f);
                assert_int_equal(world->binds, 0);
                recover(true, steps[i], &f);
                assert_int_equal(world->binds, 1);
                assert_int_equal(f.kind, FAILURE_FAILED);
        }
}

static int setup(void **state)
{
        world = share(sizeof(*world));
        return mkdtemp(dir) ? 0 : -1;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ours),
                cmocka_unit_test(test_before_our_unbind),
                cmocka_unit_test(test_between_commit_and_unbind),
                cmocka_unit_test(test_before_commit),
                cmocka_unit_test(test_on_the_way_back),
                cmocka_unit_test(test_after_it_came_by_itself),
                cmocka_unit_test(test_our_region),
                cmocka_unit_test(test_no_excuse),
                cmocka_unit_test(test_no_room_on_the_way_back),
                cmocka_unit_test(test_killed_before_its_write),
                cmocka_unit_test(test_region_that_stays),
                cmocka_unit_test(test_older_ledger),
        };

        return cmocka_run_group_tests(tests, setup, remove_dir);
}
