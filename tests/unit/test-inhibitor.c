/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inhibitors as data: what may be said in one, that it survives being written down, whom it
 * concerns, and what the planner makes of its target. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kinds.h"
#include "policy.h"
#include "util/text.h"

static Inhibitor *make(const char *target, const char *names)
{
        Inhibitor *i = NULL;

        assert_int_equal(inhibitor_new(target, "db", "a \"backup\" runs", "block", &i, NULL), 0);
        assert_int_equal(strv_split(names, &i->names), 0);
        i->id = 7;
        i->uid = 1000;
        i->pid = 812;
        return i;
}

static FailureKind refused(const char *target, const char *who, const char *why, const char *mode)
{
        Inhibitor *i = NULL;
        Failure f = { 0 };

        if (inhibitor_new(target, who, why, mode, &i, &f) == 0) {
                inhibitor_free(i);
                return FAILURE_NONE;
        }
        assert_null(i);
        assert_true(*f.sentence);
        return f.kind;
}

static void test_texts(void **state)
{
        static const char *const odd[] = { "", "a\nb", "a\tb", "\033[2J", "\177", "\302\205",
                "\342\200\256gnp", "\342\200\213", "\377", "\300\200", "\355\240\200", "\342\202",
                "\360\200\200\200", "\357\273\277", "\364\220\200\200" };
        char longest[INHIBITOR_WHO_MAX + 2];

        assert_int_equal(refused("namespace0.0", "db", "why", "block"), FAILURE_NONE);
        assert_int_equal(refused("", "db", "why", "delay"), FAILURE_NONE);
        assert_int_equal(
                refused("", "Gr\303\266\303\237e \360\237\230\200", "\342\202\254", "delay"),
                FAILURE_NONE);
        for (size_t k = 0; k < ELEMENTSOF(odd); k++) {
                assert_int_equal(refused("", odd[k], "why", "block"), FAILURE_INVALID_OPTION);
                assert_int_equal(refused("", "db", odd[k], "block"), FAILURE_INVALID_OPTION);
                if (*odd[k])
                        assert_int_equal(
                                refused(odd[k], "db", "why", "block"), FAILURE_INVALID_TARGET);
        }
        memset(longest, 'x', sizeof(longest));
        longest[INHIBITOR_WHO_MAX + 1] = '\0';
        assert_int_equal(refused("", longest, "why", "block"), FAILURE_INVALID_OPTION);
        longest[INHIBITOR_WHO_MAX] = '\0';
        assert_int_equal(refused("", longest, "why", "block"), FAILURE_NONE);
        assert_int_equal(refused("", "db", "why", "block-weak"), FAILURE_INVALID_OPTION);
        assert_int_equal(refused("", "db", "why", ""), FAILURE_INVALID_OPTION);
}

static void test_record(void **state)
{
        _cleanup_(inhibitor_freep) Inhibitor *i = make("/mnt/with blank", "namespace0.0 region0");
        _cleanup_(inhibitor_freep) Inhibitor *again = NULL;
        _cleanup_(record_freep) Record *r = NULL, *read = NULL;
        _cleanup_(freep) char *line = NULL;

        assert_int_equal(inhibitor_to_record(i, &r), 0);
        line = record_print(r);
        assert_non_null(line);
        assert_null(strchr(line, '\n'));
        assert_int_equal(record_parse(line, &read), 0);
        assert_int_equal(inhibitor_from_record(read, &again), 0);
        assert_string_equal(again->target, i->target);
        assert_string_equal(again->who, i->who);
        assert_string_equal(again->why, i->why);
        assert_int_equal(again->mode, i->mode);
        assert_int_equal(again->id, 7);
        assert_int_equal(again->uid, 1000);
        assert_int_equal(again->pid, 812);
        assert_int_equal(strv_length(again->names), 2);
}

static void test_bad_records(void **state)
{
        static const char *const bad[] = {
                "inhibitor",
                "inhibitor 1",
                "ledger 1 target=x who=a why=b mode=block uid=0 pid=1",
                "inhibitor x target=x who=a why=b mode=block uid=0 pid=1",
                "inhibitor 1 who=a why=b mode=block uid=0 pid=1",
                "inhibitor 1 target=x why=b mode=block uid=0 pid=1",
                "inhibitor 1 target=x who=a mode=block uid=0 pid=1",
                "inhibitor 1 target=x who=a why=b mode=maybe uid=0 pid=1",
                "inhibitor 1 target=x who=a why=b mode=block uid=-1 pid=1",
                "inhibitor 1 target=x who=a why=b mode=block uid=0",
                "inhibitor 1 target=x who=a why=b mode=block uid=0 pid=4294967296",
        };

        for (size_t k = 0; k < ELEMENTSOF(bad); k++) {
                _cleanup_(record_freep) Record *r = NULL;
                Inhibitor *i = NULL;

                assert_int_equal(record_parse(bad[k], &r), 0);
                assert_int_equal(inhibitor_from_record(r, &i), -EBADMSG);
        }
}

static void test_concerns(void **state)
{
        char ns[] = "namespace0.0", region[] = "region0", other[] = "namespace1.0";
        char *const ours[] = { ns, region, NULL }, *const theirs[] = { other, NULL };
        _cleanup_(inhibitor_freep) Inhibitor *one = make("x", "namespace0.0");
        _cleanup_(inhibitor_freep) Inhibitor *all = make("", "");
        _cleanup_(inhibitor_freep) Inhibitor *none = make("nmem3", "");
        Inhibitor *unknown = NULL;

        assert_true(inhibitor_concerns(one, ours));
        assert_false(inhibitor_concerns(one, theirs));
        assert_true(inhibitor_concerns(all, theirs));
        assert_true(inhibitor_concerns(all, NULL));
        /* A dimm without a region is not everything. */
        assert_false(inhibitor_concerns(none, ours));
        assert_int_equal(inhibitor_new_unknown(9, &unknown), 0);
        assert_true(inhibitor_concerns(unknown, theirs));
        assert_int_equal(unknown->mode, INHIBIT_BLOCK);
        assert_int_equal(unknown->id, 9);
        inhibitor_free(unknown);
}

static void test_refuse(void **state)
{
        _cleanup_(inhibitor_freep) Inhibitor *i = make("namespace0.0", "namespace0.0");
        Failure f = { 0 };

        assert_true(inhibitor_refuse(i, &f) < 0);
        assert_int_equal(f.kind, FAILURE_INHIBITED);
        assert_string_equal(f.node, "db (812)");
        assert_non_null(strstr(f.sentence, "a \"backup\" runs"));
        assert_non_null(strstr(f.sentence, "uid 1000"));
        assert_non_null(strstr(f.sentence, "namespace0.0"));
        assert_non_null(strstr(f.sentence, "ignore-inhibitors"));
}

/* --- in a snapshot --- */

static const char machine[] = "host host pre-remove=yes processes=3\n"
                              "bus ndbus0\n"
                              "dimm nmem0 on=bus:ndbus0\n"
                              "region region0 on=bus:ndbus0,dimm:nmem0 driver=nd_region\n"
                              "namespace namespace0.0 on=region:region0 driver=nd_pmem\n"
                              "namespace namespace0.1 on=region:region0 driver=nd_pmem\n"
                              "block pmem0.1 on=namespace:namespace0.1 dev=259:1\n"
                              "filesystem pmem0.1 on=block:pmem0.1 type=xfs dev=259:1\n"
                              "mount 42 on=filesystem:pmem0.1 target=/srv dev=259:1\n";

static const char *names_of(Graph *g, const char *target, const char *then)
{
        _cleanup_(inhibitor_freep) Inhibitor *i = make(target, then);
        const Node *n;

        i->id = g->n_nodes;
        assert_int_equal(policy_add_inhibitor(g, i), 0);
        n = g->nodes[g->n_nodes - 1];
        assert_string_equal(node_kind(n), KIND_INHIBITOR);
        assert_int_equal(n->n_lower, 0);
        return strempty(node_get(n, "names"));
}

static void test_what_it_means_today(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(graph_freep) Graph *again = NULL;
        unsigned line;

        assert_int_equal(graph_parse(machine, &g, &line), 0);
        assert_string_equal(names_of(g, "namespace0.0", "namespace0.0"), "namespace0.0");
        /* The mount point lies on other memory than it did. */
        assert_string_equal(names_of(g, "/srv", "namespace5.0"), "namespace5.0 namespace0.1");
        /* A namespace was added to the region. */
        assert_string_equal(names_of(g, "region0", "region0 namespace0.0"),
                "region0 namespace0.0 namespace0.1");
        assert_string_equal(names_of(g, "nmem0", ""), "region0 namespace0.0 namespace0.1");
        /* It is not there any more. */
        assert_string_equal(names_of(g, "/gone", "namespace0.0"), "namespace0.0");
        assert_string_equal(names_of(g, "", ""), "");
        assert_int_equal(graph_print(g, &text), 0);
        assert_int_equal(graph_parse(text, &again, &line), 0);
}

static void test_closure(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        Failure f = { 0 };
        unsigned line;

        assert_int_equal(graph_parse(machine, &g, &line), 0);
        assert_int_equal(policy_closure(g, "/srv", &names, &f), 0);
        assert_int_equal(strv_length(names), 1);
        assert_string_equal(names[0], "namespace0.1");
        names = strv_free(names);
        assert_true(policy_closure(g, "/nowhere", &names, &f) < 0);
        assert_int_equal(f.kind, FAILURE_NO_SUCH_TARGET);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_record),
                cmocka_unit_test(test_bad_records),
                cmocka_unit_test(test_concerns),
                cmocka_unit_test(test_refuse),
                cmocka_unit_test(test_what_it_means_today),
                cmocka_unit_test(test_closure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
