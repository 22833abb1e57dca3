/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Options of a request, read from real messages: what is good arrives, everything else is refused
 * by name. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "bus-options.h"
#include "caller-limits.h"
#include "util/text.h"

/* A message needs a bus that was started; nobody is at the other end. */
static sd_bus *bus;
static int far_end = -EBADF;

static int setup(void **state)
{
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -1;
        far_end = pair[1];
        if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, pair[0], pair[0]) < 0 ||
                sd_bus_start(bus) < 0)
                return -1;
        return 0;
}

static int teardown(void **state)
{
        bus = sd_bus_close_unref(bus);
        far_end = safe_close(far_end);
        return 0;
}

static sd_bus_message *message(const char *types, ...)
{
        sd_bus_message *m = NULL;
        va_list ap;
        int r;

        assert_true(sd_bus_message_new_method_call(bus, &m, "a.b", "/", "a.b", "c") >= 0);
        va_start(ap, types);
        r = sd_bus_message_appendv(m, types, ap);
        va_end(ap);
        assert_true(r >= 0);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        return m;
}

static sd_bus_message *many_words(unsigned n)
{
        sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_method_call(bus, &m, "a.b", "/", "a.b", "c") >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        assert_true(sd_bus_message_open_container(m, 'e', "sv") >= 0);
        assert_true(sd_bus_message_append(m, "s", "override") >= 0);
        assert_true(sd_bus_message_open_container(m, 'v', "as") >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "s") >= 0);
        while (n-- > 0)
                assert_true(sd_bus_message_append(m, "s", "a") >= 0);
        for (unsigned i = 0; i < 4; i++)
                assert_true(sd_bus_message_close_container(m) >= 0);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        return m;
}

static int parse(sd_bus_message *m, Request *req, Failure *f)
{
        int r = bus_options_parse(m, req, f);

        (void)sd_bus_message_unref(m);
        return r;
}

static void must_refuse(sd_bus_message *m, const char *key, const char *words)
{
        _cleanup_(request_freep) Request *req = request_new();
        Failure f = { 0 };

        assert_non_null(req);
        assert_true(parse(m, req, &f) < 0);
        assert_int_equal(f.kind, FAILURE_INVALID_OPTION);
        assert_string_equal(f.node, key);
        assert_non_null(strstr(f.sentence, words));
}

static void test_none(void **state)
{
        _cleanup_(request_freep) Request *req = request_new();
        Failure f = { 0 };

        assert_int_equal(parse(message("a{sv}", 0), req, &f), 0);
        assert_int_equal(req->mode, _MODE_INVALID);
        assert_false(req->dry_run);
}

static void test_all(void **state)
{
        _cleanup_(request_freep) Request *req = request_new();
        Failure f = { 0 };

        assert_int_equal(parse(message("a{sv}", 12, "mode", "s", "forced", "dry-run", "b", 1,
                                       "reason", "s", "why", "transaction-id", "s", "t1", "plan-id",
                                       "s", "abc", "timeout-usec", "t", UINT64_C(5000000),
                                       "hold-before-commit", "b", 1, "confirm-timeout-usec", "t",
                                       UINT64_C(7), "eject", "b", 1, "ignore-inhibitors", "b", 1,
                                       "override", "as", 2, "x", "y", "bind-to-caller", "b", 1),
                                 req, &f),
                0);
        assert_int_equal(req->mode, MODE_FORCED);
        assert_true(
                req->dry_run && req->hold_before_commit && req->eject && req->ignore_inhibitors);
        assert_true(req->bind_to_caller);
        assert_string_equal(req->reason, "why");
        assert_string_equal(req->transaction_id, "t1");
        assert_string_equal(req->plan_id, "abc");
        assert_int_equal(req->timeout_usec, 5000000);
        assert_int_equal(req->confirm_timeout_usec, 7);
        assert_int_equal(strv_length(req->overrides), 2);
        assert_string_equal(req->overrides[1], "y");
}

/* False stays false: a flag that is there is not a flag that is set. */
static void test_false(void **state)
{
        _cleanup_(request_freep) Request *req = request_new();
        Failure f = { 0 };

        assert_int_equal(parse(message("a{sv}", 1, "dry-run", "b", 0), req, &f), 0);
        assert_false(req->dry_run);
}

static void test_unknown(void **state)
{
        must_refuse(message("a{sv}", 1, "dryrun", "b", 1), "dryrun", "dry-run");
        must_refuse(message("a{sv}", 1, "", "b", 1), "", "known are");
        must_refuse(
                message("a{sv}", 2, "dry-run", "b", 1, "Mode", "s", "auto"), "Mode", "known are");
}

static void test_wrong_type(void **state)
{
        for (size_t i = 0; bus_option_info(i).name; i++) {
                BusOptionInfo o = bus_option_info(i);

                must_refuse(message("a{sv}", 1, o.name, "u", 1), o.name, "type u");
                if (!streq(o.type, "s"))
                        must_refuse(message("a{sv}", 1, o.name, "s", "true"), o.name, o.type);
        }
}

static void test_wrong_value(void **state)
{
        char longer[2000];

        memset(longer, 'x', sizeof(longer) - 1);
        longer[sizeof(longer) - 1] = '\0';
        must_refuse(message("a{sv}", 1, "mode", "s", "violent"), "mode", "graceful");
        must_refuse(message("a{sv}", 1, "mode", "s", ""), "mode", "graceful");
        must_refuse(message("a{sv}", 1, "timeout-usec", "t", UINT64_C(0)), "timeout-usec", "0");
        must_refuse(message("a{sv}", 1, "reason", "s", longer), "reason", "long");
        must_refuse(message("a{sv}", 1, "override", "as", 1, "a b"), "override", "names");
        must_refuse(many_words(LIMIT_OPTION_WORDS + 1), "override", "too many");
        must_refuse(many_words(2 * 1024 * 1024), "override", "too many");
        must_refuse(message("a{sv}", 1, "override", "as", 1, ""), "override", "names");
}

static void test_twice(void **state)
{
        must_refuse(message("a{sv}", 2, "dry-run", "b", 1, "dry-run", "b", 0), "dry-run", "twice");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_none),
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_false),
                cmocka_unit_test(test_unknown),
                cmocka_unit_test(test_wrong_type),
                cmocka_unit_test(test_wrong_value),
                cmocka_unit_test(test_twice),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
