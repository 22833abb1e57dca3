/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>

#include "ctl.h"

/* Messages need a bus, but nobody has to be at its other end. */
typedef struct Fixture {
        sd_bus *bus;
        int peer_fd;
} Fixture;

static int setup(void **state)
{
        static Fixture f;
        int fds[2];

        assert_int_equal(
                socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        assert_int_equal(sd_bus_new(&f.bus), 0);
        assert_true(sd_bus_set_fd(f.bus, fds[0], fds[0]) >= 0);
        assert_true(sd_bus_start(f.bus) >= 0);
        f.peer_fd = fds[1];
        *state = &f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        sd_bus_close(f->bus);
        sd_bus_unref(f->bus);
        (void)close(f->peer_fd);
        return 0;
}

static sd_bus_message *message(Fixture *f)
{
        sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_signal(f->bus, &m, "/", "a.b", "C") >= 0);
        return m;
}

/* What the message says, read back; NULL when it cannot be read. */
static Dict *read_back(sd_bus_message *m, JsonMode json)
{
        const Ctl c = { .json = json };
        Dict *d = dict_new(&c);

        assert_non_null(d);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_true(sd_bus_message_rewind(m, true) >= 0);
        assert_int_equal(dict_read(d, m), 0);
        return d;
}

static void test_keys_and_types(void **state)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message(*state);
        _cleanup_(dict_freep) Dict *d = NULL;

        assert_true(sd_bus_message_append(m, "a{sv}", 8, "FrozenUSec", "t", UINT64_MAX,
                            "StartedByUID", "u", 0u, "plan-id", "s", "5f", "Committed", "b", true,
                            "Numa", "i", -1, "Progress", "(isi)", 40, "half", 2, "Small", "y", 255,
                            "Removal", "o", "/a") >= 0);
        d = read_back(m, JSON_OFF);
        assert_int_equal(d->n_values, 8);
        assert_true(dict_u64(d, "frozen-usec") == UINT64_MAX);
        assert_string_equal(dict_string(d, "started-by-uid"), "0");
        assert_string_equal(dict_string(d, "plan-id"), "5f");
        assert_true(dict_true(d, "committed"));
        assert_string_equal(dict_string(d, "numa"), "-1");
        assert_string_equal(value_cell(dict_get(d, "progress"), 0, 1), "half");
        assert_string_equal(value_cell(dict_get(d, "progress"), 0, 2), "2");
        assert_string_equal(dict_string(d, "small"), "255");
        assert_string_equal(dict_string(d, "removal"), "/a");
        assert_string_equal(dict_string(d, "not-there"), "");
        assert_true(dict_u64(d, "plan-id") == 0);
}

static void test_rows(void **state)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message(*state);
        _cleanup_(dict_freep) Dict *d = NULL;
        const Value *kills;

        assert_true(sd_bus_message_append(m, "a{sv}", 3, "kills", "a(usss)", 2, 812, "db",
                            "db.service", "DAX mapping", 7, "sh", "", "cwd", "none", "a(usss)", 0,
                            "notes", "as", 2, "one", "two") >= 0);
        d = read_back(m, JSON_OFF);
        kills = dict_get(d, "kills");
        assert_int_equal(value_rows(kills), 2);
        assert_string_equal(kills->signature, "a(usss)");
        assert_string_equal(value_cell(kills, 0, KILL_COMMAND), "db");
        assert_string_equal(value_cell(kills, 1, KILL_PID), "7");
        assert_string_equal(value_cell(kills, 1, KILL_WHY), "cwd");
        assert_string_equal(value_cell(kills, 2, KILL_PID), "");
        assert_string_equal(value_cell(kills, 0, 4), "");
        assert_int_equal(value_rows(dict_get(d, "none")), 0);
        assert_int_equal(value_rows(dict_get(d, "notes")), 2);
        assert_string_equal(value_cell(dict_get(d, "notes"), 1, 0), "two");
}

/* The API may grow by types that this program has never seen; what follows is still read. */
static void test_unknown_types_are_skipped(void **state)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message(*state);
        _cleanup_(dict_freep) Dict *d = NULL;

        assert_true(sd_bus_message_append(m, "a{sv}", 4, "New", "a(s(uu))", 1, "x", 1, 2, "Newer",
                            "d", 0.5, "Newest", "aas", 1, 2, "a", "b", "State", "s", "done") >= 0);
        d = read_back(m, JSON_OFF);
        assert_int_equal(value_rows(dict_get(d, "new")), 0);
        assert_string_equal(dict_string(d, "newer"), "");
        assert_string_equal(dict_string(d, "state"), "done");
}

static void test_terminal_sequences(void **state)
{
        const char *evil = "ev\x1b[31mil\nx\xc2\x9b"
                           "1m \xc3\xa4\\";
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message(*state);
        _cleanup_(dict_freep) Dict *people = NULL, *json = NULL;

        assert_true(sd_bus_message_append(m, "a{sv}", 1, "comm", "s", evil) >= 0);
        people = read_back(m, JSON_OFF);
        assert_string_equal(
                dict_string(people, "comm"), "ev\\033[31mil\\012x\\302\\2331m \xc3\xa4\\");
        assert_true(sd_bus_message_rewind(m, true) >= 0);
        json = calloc(1, sizeof(Dict));
        json->raw = true;
        assert_int_equal(dict_read(json, m), 0);
        assert_string_equal(dict_string(json, "comm"), evil);
}

/* As PropertiesChanged does it. */
static void test_changes_replace(void **state)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message(*state), *n = message(*state);
        _cleanup_(dict_freep) Dict *d = NULL;

        assert_true(sd_bus_message_append(
                            m, "a{sv}", 2, "State", "s", "draining", "Id", "t", UINT64_C(7)) >= 0);
        assert_true(sd_bus_message_append(n, "a{sv}", 1, "State", "s", "committed") >= 0);
        d = read_back(m, JSON_OFF);
        assert_true(sd_bus_message_seal(n, 2, 0) >= 0);
        assert_int_equal(dict_read(d, n), 0);
        assert_int_equal(d->n_values, 2);
        assert_string_equal(dict_string(d, "state"), "committed");
        assert_string_equal(dict_string(d, "id"), "7");
}

static void append_holders(sd_bus_message *m)
{
        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        assert_true(sd_bus_message_open_container(m, 'e', "sv") >= 0);
        assert_true(sd_bus_message_append(m, "s", "holders") >= 0);
        assert_true(sd_bus_message_append(m, "v", "aa{ss}", 4,                      /* */
                            2, "kind", "bus", "name", "ndbus0",                     /* */
                            3, "kind", "dimm", "name", "nmem0", "on", "bus:ndbus0", /* */
                            4, "kind", "region", "name", "region0", "on",
                            "bus:ndbus0 dimm:nmem0 dimm:nowhere region:region0 nonsense", "size",
                            "4096", /* */
                            2, "kind", "bus", "name", "ndbus0") >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
}

static void test_graph(void **state)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message(*state);
        _cleanup_(dict_freep) Dict *d = NULL;
        const Graph *g;
        Node *region;

        append_holders(m);
        d = read_back(m, JSON_OFF);
        g = dict_get(d, "holders")->graph;
        assert_non_null(g);
        assert_int_equal(g->n_nodes, 3);
        region = graph_find(g, "region", "region0");
        assert_non_null(region);
        assert_int_equal(region->n_lower, 2);
        assert_string_equal(node_name(region->lower[1]), "nmem0");
        assert_string_equal(node_get(region, "size"), "4096");
        assert_null(node_get(region, "kind"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keys_and_types),
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_unknown_types_are_skipped),
                cmocka_unit_test(test_terminal_sequences),
                cmocka_unit_test(test_changes_replace),
                cmocka_unit_test(test_graph),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
