/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/graph.h"
#include "util/text.h"

static Node *add(Graph *g, const char *kind, const char *name)
{
        Node *n = NULL;

        assert_int_equal(graph_add(g, kind, name, &n), 0);
        assert_non_null(n);
        return n;
}

static Graph *parse(const char *text)
{
        unsigned line = 0;
        Graph *g = NULL;

        assert_int_equal(graph_parse(text, &g, &line), 0);
        assert_non_null(g);
        return g;
}

static void test_build(void **state)
{
        _cleanup_(graph_freep) Graph *g = graph_new(), *other = graph_new();
        Node *block = add(g, "block", "pmem0"), *fs = add(g, "filesystem", "pmem0");
        Node *foreign = add(other, "block", "pmem1");

        assert_int_equal(graph_add(g, "block", "pmem0", NULL), -EEXIST);
        assert_int_equal(graph_link(fs, block), 0);
        assert_int_equal(graph_link(fs, block), 0);
        assert_int_equal(fs->n_lower, 1);
        assert_int_equal(block->n_upper, 1);
        assert_int_equal(graph_link(fs, fs), -EINVAL);
        assert_int_equal(graph_link(fs, foreign), -EINVAL);
        assert_ptr_equal(graph_find(g, "filesystem", "pmem0"), fs);
        assert_null(graph_find(g, "filesystem", "pmem1"));
        assert_int_equal(node_set(fs, "type", "xfs"), 0);
        assert_int_equal(node_setf(fs, "pages", "%d", 12), 0);
        assert_int_equal(node_set(fs, "on", "x"), -EINVAL);
        assert_true(node_has(fs, "type", "xfs"));
        assert_false(node_has(fs, "type", "ext4"));
        assert_false(node_has(fs, "typ", "xfs"));
        assert_true(node_get_u64(fs, "pages") == 12);
        assert_true(node_get_u64(fs, "type") == 0);
        assert_true(node_get_u64(fs, "none") == 0);
}

static const char sample[] = "bus ndbus0\n"
                             "dimm nmem0 on=bus:ndbus0\n"
                             "dimm nmem1 on=bus:ndbus0\n"
                             "region region0 on=bus:ndbus0,dimm:nmem0,dimm:nmem1 size=1\n"
                             "namespace namespace0.0 on=region:region0 mode=fsdax\n"
                             "region region1 on=dimm:nmem1\n"
                             "block pmem0 on=namespace:namespace0.0 dev=259:0\n"
                             "filesystem pmem0 on=block:pmem0 label=\"with blank\"\n";

static void test_text(void **state)
{
        _cleanup_(graph_freep) Graph *g = parse(sample), *empty = parse("");
        _cleanup_(freep) char *text = NULL, *nothing = NULL;

        assert_int_equal(graph_print(g, &text), 0);
        assert_string_equal(text, sample);
        assert_int_equal(graph_print(empty, &nothing), 0);
        assert_string_equal(nothing, "");
}

static void test_comments(void **state)
{
        _cleanup_(graph_freep) Graph *g = parse("# a comment\n\nbus b k=v\n#\n\nregion r on=bus:b");

        assert_int_equal(g->n_nodes, 2);
        assert_ptr_equal(g->nodes[1]->lower[0], g->nodes[0]);
        assert_null(node_get(g->nodes[1], "on"));
}

static void test_nasty_names(void **state)
{
        static const char *const names[] = { "", "a,b", "a:b", "a%2Cb", "%", "a b", "a\nb",
                "\xff\x01", "a=b", "\"", "/mnt/x" };
        _cleanup_(graph_freep) Graph *g = graph_new(), *again = NULL;
        _cleanup_(freep) char *text = NULL, *text_again = NULL;
        Node *top;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void)add(g, names[i], names[i]);
        top = add(g, "top", "top");
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_int_equal(graph_link(top, g->nodes[i]), 0);
        assert_int_equal(graph_print(g, &text), 0);
        again = parse(text);
        assert_int_equal(again->nodes[ELEMENTSOF(names)]->n_lower, ELEMENTSOF(names));
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_string_equal(node_name(again->nodes[ELEMENTSOF(names)]->lower[i]), names[i]);
        assert_int_equal(graph_print(again, &text_again), 0);
        assert_string_equal(text, text_again);
}

static void test_refused(void **state)
{
        static const struct {
                const char *text;
                int error;
                unsigned line;
        } cases[] = {
                { "bus b\n\nregion r on=bus:c\n", -ENOENT, 3 },
                { "region r on=bus:b\nbus b\n", -ENOENT, 1 },
                { "bus b on=bus:b\n", -ENOENT, 1 },
                { "bus b\nbus b\n", -EEXIST, 2 },
                { "bus\n", -EBADMSG, 1 },
                { "bus k=v\n", -EBADMSG, 1 },
                { "bus  b\n", -EBADMSG, 1 },
                { " \n", -EBADMSG, 1 },
                { "bus b\r\n", -EBADMSG, 1 },
                { "bus b\nregion r on=\"\"\n", -EBADMSG, 2 },
                { "bus b\nregion r on=bus\n", -EBADMSG, 2 },
                { "bus b\nregion r on=bus:b,\n", -EBADMSG, 2 },
                { "bus b\nregion r on=bus:%62\n", -EBADMSG, 2 },
                { "bus b\nregion r on=bus:%2c\n", -EBADMSG, 2 },
                { "bus b\nregion r on=bus:b%00\n", -EBADMSG, 2 },
                { "bus b\nregion r on=bus:b%2\n", -EBADMSG, 2 },
                { "bus b\nregion r on=bus:b%\n", -EBADMSG, 2 },
                { "bus b\nregion r on=bus:b:c\n", -EBADMSG, 2 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                unsigned line = 0;
                Graph *g = NULL;

                assert_int_equal(graph_parse(cases[i].text, &g, &line), cases[i].error);
                assert_int_equal(line, cases[i].line);
                assert_null(g);
        }
}

static void test_mark(void **state)
{
        _cleanup_(graph_freep) Graph *g = parse(sample);

        graph_mark_above(graph_find(g, "dimm", "nmem0"));
        assert_false(graph_find(g, "bus", "ndbus0")->marked);
        assert_false(graph_find(g, "dimm", "nmem1")->marked);
        assert_false(graph_find(g, "region", "region1")->marked);
        assert_true(graph_find(g, "dimm", "nmem0")->marked);
        assert_true(graph_find(g, "region", "region0")->marked);
        assert_true(graph_find(g, "filesystem", "pmem0")->marked);
        graph_mark_above(graph_find(g, "dimm", "nmem1"));
        assert_true(graph_find(g, "region", "region1")->marked);
        assert_true(graph_find(g, "dimm", "nmem0")->marked);
        graph_unmark(g);
        for (size_t i = 0; i < g->n_nodes; i++)
                assert_false(g->nodes[i]->marked);
}

static void test_below(void **state)
{
        _cleanup_(graph_freep) Graph *g = parse("block far\n"
                                                "stacked dm-0 on=block:far\n"
                                                "stacked dm-1 on=stacked:dm-0\n"
                                                "block near\n"
                                                "filesystem f on=stacked:dm-1,block:near\n");
        const Node *f = graph_find(g, "filesystem", "f");

        for (int i = 0; i < 2; i++) {
                assert_ptr_equal(node_below(f, "filesystem"), f);
                assert_string_equal(node_name(node_below(f, "block")), "near");
                assert_string_equal(node_name(node_below(f, "stacked")), "dm-1");
                assert_null(node_below(f, "bus"));
        }
        assert_string_equal(
                node_name(node_below(graph_find(g, "stacked", "dm-1"), "block")), "far");
}

/* Three thousand layers of two nodes, each on both below: 2^3000 ways down, and as deep as it gets.
 */
static void test_deep(void **state)
{
        _cleanup_(graph_freep) Graph *g = graph_new();
        Node *a = add(g, "bottom", "a"), *b = add(g, "bottom", "b");

        for (unsigned i = 0; i < 3000; i++) {
                _cleanup_(freep) char *name = string_printf("%u", i);
                Node *left = add(g, "left", name), *right = add(g, "right", name);

                assert_int_equal(graph_link(left, a), 0);
                assert_int_equal(graph_link(left, b), 0);
                assert_int_equal(graph_link(right, a), 0);
                assert_int_equal(graph_link(right, b), 0);
                a = left;
                b = right;
        }
        graph_mark_above(g->nodes[0]);
        assert_true(a->marked && b->marked);
        assert_non_null(node_below(a, "bottom"));
        assert_null(node_below(a, "none"));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_build),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_comments),
                cmocka_unit_test(test_nasty_names),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_mark),
                cmocka_unit_test(test_below),
                cmocka_unit_test(test_deep),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
