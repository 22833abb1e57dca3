/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ctl.h"

static void test_ids(void **state)
{
        _cleanup_(freep) char *path = NULL;
        uint64_t id = 0;

        assert_int_equal(removal_path(UINT64_MAX, &path), 0);
        assert_string_equal(path, "/org/pmemremoved1/removal/18446744073709551615");
        assert_int_equal(removal_path_to_id(path, &id), 0);
        assert_true(id == UINT64_MAX);
        assert_true(removal_path_to_id("/org/pmemremoved1/removal/", &id) < 0);
        assert_true(removal_path_to_id("/org/pmemremoved1/removal7", &id) < 0);
        assert_true(removal_path_to_id("/org/pmemremoved1/removal/7/8", &id) < 0);
        assert_true(removal_path_to_id("/org/pmemremoved1/device/7", &id) < 0);
}

/* Puts the Error property as the bus gives it. */
static void put_error(Dict *d, const char *name)
{
        Value *v = reallocarray(d->values, d->n_values + 1, sizeof(Value));

        assert_non_null(v);
        d->values = v;
        v = &d->values[d->n_values++];
        *v = (Value){
                .key = strdup("error"), .signature = strdup("(ss)"), .columns = strdup("ss")
        };
        v->cells = calloc(2, sizeof(char *));
        v->cells[0] = strdup(name);
        v->cells[1] = strdup("because");
        v->n_cells = 2;
}

#define OWN(name) "org.pmemremoved1.Error." name

static const struct {
        const char *result, *error;
        int status;
} cases[] = {
        { "done", "", 0 },
        { "partial", OWN("Busy"), 7 },
        { "refused", OWN("NotSupported"), 8 },
        { "refused", OWN("PlanChanged"), 11 },
        { "refused", "org.freedesktop.DBus.Error.AccessDenied", 77 },
        { "refused", "", 1 },
        { "vetoed", OWN("Vetoed"), 4 },
        { "inhibited", "", 4 },
        { "timed-out", OWN("Busy"), 6 },
        { "cancelled", OWN("Cancelled"), 9 },
        { "failed", OWN("Busy"), 5 },
        { "failed", OWN("AlreadyRemoved"), 1 },
        { "failed", "no.such.Error", 1 },
        { "stuck", OWN("Busy"), 10 },
        { "a-new-word", OWN("Busy"), 1 },
};

static void test_exit_status(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Ctl c = { .json = JSON_SHORT };
                _cleanup_(dict_freep) Dict *d = dict_new(&c);

                assert_false(removal_is_over(d));
                assert_int_equal(dict_put_string(d, "result", cases[i].result), 0);
                put_error(d, cases[i].error);
                assert_true(removal_is_over(d));
                assert_int_equal(removal_status(d), cases[i].status);
        }
}

static void test_errors_of_the_bus(void **state)
{
        assert_int_equal(error_status(SD_BUS_ERROR_SERVICE_UNKNOWN), EXIT_NO_DAEMON);
        assert_int_equal(error_status(SD_BUS_ERROR_NO_REPLY), EXIT_NO_DAEMON);
        assert_int_equal(error_status(SD_BUS_ERROR_ACCESS_DENIED), EXIT_NOT_AUTHORISED);
        assert_int_equal(error_status(SD_BUS_ERROR_UNKNOWN_OBJECT), EXIT_NOT_FOUND);
        assert_int_equal(error_status(OWN("NoSuchTarget")), EXIT_NOT_FOUND);
        assert_int_equal(error_status(OWN("AlreadyRemoved")), 0);
        assert_int_equal(error_status(OWN("FromTheFuture")), EXIT_FAILURE);
        assert_int_equal(error_status(""), EXIT_FAILURE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_exit_status),
                cmocka_unit_test(test_errors_of_the_bus),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
