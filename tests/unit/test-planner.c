/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who gets a place among the planners. While a filesystem is frozen none starts, and all that have
 * been asked are there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "planner.h"

static unsigned n_answers;

static void on_answer(PlannerAnswer *a, void *userdata)
{
        n_answers++;
}

static unsigned ask(Manager *m, uid_t uid, unsigned n)
{
        Failure f = { 0 };
        unsigned given = 0;

        for (unsigned i = 0; i < n; i++)
                given += planner_ask(m, NULL, uid, on_answer, NULL, &f) == 0;
        assert_int_equal(given < n, f.kind == FAILURE_LIMIT_EXCEEDED);
        return given;
}

static void test_places(void **state)
{
        Removal frozen = { .state = REMOVAL_DRAINING, .frozen_since_usec = 1 };
        Removal *removals[] = { &frozen };
        Manager m = { .removals = removals, .n_removals = 1 };

        assert_true(sd_event_new(&m.event) >= 0);
        assert_int_equal(ask(&m, 1000, 9), LIMIT_QUESTIONS_USER);
        assert_int_equal(ask(&m, 1001, 3), 3);
        assert_int_equal(ask(&m, 1002, 9), LIMIT_QUESTIONS_GUESTS - LIMIT_QUESTIONS_USER - 3);
        assert_int_equal(ask(&m, PLANNER_NOBODY, 1), 1);
        assert_int_equal(ask(&m, 0, 20), LIMIT_QUESTIONS - LIMIT_QUESTIONS_GUESTS - 1);
        planner_abort_all(&m);
        assert_int_equal(n_answers, LIMIT_QUESTIONS);
        (void)sd_event_unref(m.event);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
