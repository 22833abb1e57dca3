/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Machines that nobody should have: a clear answer, no crash, nothing overlooked. With "bench" as
 * its argument it says what a bigger machine costs instead. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fnmatch.h>

#include "kinds.h"
#include "machine.h"
#include "policy.h"
#include "topology.h"
#include "util/text.h"

static int scan(Machine m, Graph **ret, Failure *f)
{
        machine = m;
        *f = (Failure){ 0 };
        return topology_scan(TOPOLOGY_PROCESSES, usec_add(now_usec(), 60 * USEC_PER_SEC), ret, f);
}

static void assert_fails(Machine m, int error, const char *sentence)
{
        Graph *g = NULL;
        Failure f;

        assert_int_equal(scan(m, &g, &f), error);
        assert_null(g);
        assert_int_equal(f.kind, FAILURE_FAILED);
        if (fnmatch(sentence, f.sentence, 0) != 0)
                fail_msg("expected \"%s\", got \"%s\"", sentence, f.sentence);
}

static size_t count(const Graph *g, const char *kind)
{
        size_t n = 0;

        for (size_t i = 0; i < g->n_nodes; i++)
                n += node_is(g->nodes[i], kind);
        return n;
}

static Verdict *decide(Graph *g, const char *target)
{
        _cleanup_(config_freep) Config *c = NULL;
        _cleanup_(request_freep) Request *req = request_new();
        Verdict *v = NULL;
        Failure f = { 0 };

        assert_non_null(req);
        assert_int_equal(config_new_defaults(&c), 0);
        assert_int_equal(free_and_strdup(&req->target, target), 0);
        req->mode = MODE_GRACEFUL;
        if (policy_decide(c, g, req, &v, &f) < 0)
                fail_msg("%s", f.sentence);
        return v;
}

/* Bus, region, namespace and disk are layers as well. */
static void test_deep(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL;
        Failure f;

        assert_int_equal(scan((Machine){ .namespaces = 1, .layers = 28 }, &g, &f), 0);
        assert_int_equal(count(g, KIND_STACKED), 28);
        v = decide(g, "namespace0.0");
        assert_null(v->plan);
        assert_int_equal(v->n_blockers, 28);
        assert_fails((Machine){ .namespaces = 1, .layers = 29 }, -E2BIG,
                "more than 32 layers are stacked here;*");
        assert_fails((Machine){ .namespaces = 1, .layers = 5000 }, -E2BIG,
                "more than 32 layers are stacked here;*");
}

static void test_cycle(void **state)
{
        for (unsigned layers = 2; layers < 28; layers += 5)
                assert_fails((Machine){ .namespaces = 1, .layers = layers, .cycle = true }, -ELOOP,
                        "it stands on itself*");
        assert_fails((Machine){ .namespaces = 1, .layers = 64, .cycle = true }, -E2BIG,
                "more than 32 layers*");
        assert_fails((Machine){ .namespaces = 1, .layers = 1, .cycle = true }, -EINVAL, "*");
}

static void test_vanishes(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        Failure f;

        assert_int_equal(scan((Machine){ .namespaces = 1, .layers = 3, .vanish = 2 }, &g, &f), 0);
        assert_int_equal(machine.scans, 3);
        assert_int_equal(count(g, KIND_STACKED), 3);
        assert_fails((Machine){ .namespaces = 1, .layers = 3, .vanish = 100 }, -ENODEV,
                "could not find out what keeps the memory in use (stacked): *");
        assert_int_equal(machine.scans, 3);
}

static void test_garbage(void **state)
{
        static const char *const garbage[] = { "", " ", "-1", "99999999999999999999999", "0x10",
                "2048 ", "2048\n1", "\xff\xfe", "259", "259:", ":1", "259:0:0", "a:b" };

        for (size_t i = 0; i < ELEMENTSOF(garbage); i++) {
                Machine m = { .namespaces = 1, .layers = 1, .devnum = garbage[i] };
                Graph *g = NULL;
                Failure f;

                assert_fails(m, -EINVAL, "could not find out what keeps the memory in use (*");
                assert_int_equal(machine.scans, 1);
                m = (Machine){ .namespaces = 1, .layers = 1, .size = garbage[i] };
                if (!streq(garbage[i], "259"))
                        assert_true(scan(m, &g, &f) < 0);
        }
        assert_fails((Machine){ .namespaces = 1, .layers = 1, .no_size = true }, -ENOENT,
                "could not find out what keeps the memory in use (stacked): *");
        assert_fails((Machine){ .namespaces = 2, .superblock = -EIO }, -EIO,
                "its superblock could not be read: *");
}

static void test_big(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL;
        Failure f;

        if (scan((Machine){ .namespaces = 256, .mounts = 1000 }, &g, &f) < 0)
                fail_msg("%s", f.sentence);
        assert_int_equal(count(g, KIND_NAMESPACE), 256);
        assert_int_equal(count(g, KIND_FILESYSTEM), 256);
        assert_int_equal(count(g, KIND_MOUNT), 1000);
        v = decide(g, "ndbus0");
        assert_non_null(v->plan);
}

static void test_one_full(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL;
        Failure f;

        assert_int_equal(scan((Machine){ .namespaces = 1, .mounts = 1000 }, &g, &f), 0);
        assert_int_equal(count(g, KIND_MOUNT), 1000);
        v = decide(g, "namespace0.0");
        assert_non_null(v->plan);
}

static uint64_t cost_usec(Machine m, const char *target)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL;
        uint64_t start = now_usec();
        Failure f;

        assert_int_equal(scan(m, &g, &f), 0);
        v = decide(g, target);
        assert_non_null(v->plan);
        return now_usec() - start;
}

/* Twice the machine costs twice the time: the ratio stays near 2. */
static int bench(void)
{
        static const struct {
                const char *what;
                const char *target;
                Machine machine;
        } rows[] = {
                { "mounts of one filesystem", "namespace0.0", { .namespaces = 1, .mounts = 1000 } },
                { "namespaces", "ndbus0", { .namespaces = 256 } },
                { "both", "ndbus0", { .namespaces = 256, .mounts = 1000 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t before = 0;

                for (unsigned times = 1; times <= 4; times *= 2) {
                        Machine m = rows[i].machine;
                        uint64_t usec;

                        m.namespaces *= m.namespaces > 1 ? times : 1;
                        m.mounts *= times;
                        usec = cost_usec(m, rows[i].target);
                        (void)printf("bench: topology: %s: %u namespaces, %u mounts: %.1f ms",
                                rows[i].what, m.namespaces, m.mounts, (double)usec / 1000);
                        if (before > 0)
                                (void)printf(", %.1f times", (double)usec / (double)before);
                        (void)puts("");
                        before = usec;
                }
        }
        return 0;
}

int main(int argc, char *argv[])
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_deep),
                cmocka_unit_test(test_cycle),
                cmocka_unit_test(test_vanishes),
                cmocka_unit_test(test_garbage),
                cmocka_unit_test(test_big),
                cmocka_unit_test(test_one_full),
        };

        if (argc > 1 && streq(argv[1], "bench"))
                return bench();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
