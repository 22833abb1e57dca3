/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The deep flush of a region whose storage answers, refuses, or says nothing. The attribute is made
 * up. */

#include "fixture-run.h"
#include "sys/sysfs.h"

/* Outlives every process: the write is made by a child. */
static struct World {
        int answer; /* 0 or negative errno; 1: none */
        int writes;
        uint64_t needed;
} * world;

int __wrap_sysfs_read_u64(const char *dir, const char *attribute, uint64_t *ret);
int __wrap_sysfs_write(const char *path, const char *value);

int __wrap_sysfs_read_u64(const char *path, const char *attribute, uint64_t *ret)
{
        assert_string_equal(attribute, "deep_flush");
        *ret = world->needed;
        return 0;
}

int __wrap_sysfs_write(const char *path, const char *value)
{
        assert_string_equal(path, "/sys/bus/nd/devices/region0/deep_flush");
        world->writes++;
        while (world->answer > 0)
                (void)pause();
        return world->answer;
}

const StepOps *policy_find_step(const char *name)
{
        static const StepOps *const all[] = { &step_flush };

        return find_among(all, ELEMENTSOF(all), name);
}

static const char *flush(struct World w, Failure *f)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        Plan *p = start_plan();
        int r;

        add_step(p, "flush", 0, "region0", "wait", w.answer > 0 ? "300000" : "60000000", NULL);
        l = create_ledger(dir, NULL, p);
        *world = w;
        *f = (Failure){ 0 };
        r = run_plan(l, -EBADF, f);
        assert_int_equal(r < 0, f->kind != FAILURE_NONE);
        return result_of(l);
}

static void test_answers(void **state)
{
        Failure f;

        assert_string_equal(flush((struct World){ .needed = 1 }, &f), "done");
        assert_int_equal(world->writes, 1);
        assert_string_equal(flush((struct World){ .needed = 0, .answer = -EIO }, &f), "done");
        assert_int_equal(world->writes, 0);
        assert_string_equal(flush((struct World){ .needed = 1, .answer = -EIO }, &f), "failed");
        assert_non_null(strstr(f.sentence, "Input/output error"));
}

/* A host that never answers virtio-pmem. */
static void test_does_not_answer(void **state)
{
        Failure f;

        (void)alarm(60);
        assert_string_equal(flush((struct World){ .needed = 1, .answer = 1 }, &f), "timed-out");
        (void)alarm(0);
        assert_int_equal(world->writes, 1);
        assert_non_null(strstr(f.sentence, "its host"));
}

static int setup(void **state)
{
        world = share(sizeof(*world));
        return mkdtemp(dir) ? 0 : -1;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_does_not_answer),
        };

        return cmocka_run_group_tests(tests, setup, remove_dir);
}
