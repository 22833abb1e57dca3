/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One allocation after the other fails, while a removal is decided, written down and read back: the
 * answer is that there is no memory, or the one that there would have been; never another plan,
 * never half a ledger. (tests/faults/memory.sh does the same to a whole daemon, in a build with
 * fault injection; leaks are found here by the sanitizers.) */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "ledger.h"
#include "manager.h"
#include "policy.h"
#include "removal-record.h"
#include "removal.h"
#include "topology.h"
#include "util/text.h"

static unsigned long n_asked, missing; /* 0: none is */

static bool fails(void)
{
        return ++n_asked == missing;
}

#define WRAP(call, params, args)                                                                   \
        void *__real_##call params;                                                                \
        void *__wrap_##call params;                                                                \
        void *__wrap_##call params                                                                 \
        {                                                                                          \
                if (!fails())                                                                      \
                        return __real_##call args;                                                 \
                errno = ENOMEM;                                                                    \
                return NULL;                                                                       \
        }

WRAP(malloc, (size_t n), (n))
WRAP(calloc, (size_t n, size_t size), (n, size))
WRAP(realloc, (void *old, size_t n), (old, n))
WRAP(reallocarray, (void *old, size_t n, size_t size), (old, n, size))
WRAP(strdup, (const char *s), (s))
WRAP(strndup, (const char *s, size_t n), (s, n))

int __real_vasprintf(char **ret, const char *fmt, va_list ap);
int __wrap_vasprintf(char **ret, const char *fmt, va_list ap);
int __wrap_vasprintf(char **ret, const char *fmt, va_list ap)
{
        return fails() ? -1 : __real_vasprintf(ret, fmt, ap);
}

/* Until nothing fails any more. */
static void each(void (*try_it)(void *arg, int *ret), void (*look)(void *arg, int r), void *arg)
{
        unsigned long n = 0;
        int r;

        do {
                n_asked = 0;
                missing = ++n;
                try_it(arg, &r);
                missing = 0;
                look(arg, r);
        } while (n_asked >= n);
        assert_int_equal(r, 0);
        assert_true(n > 10);
}

/* --- a decision --- */

typedef struct Case {
        char *text;
        const char *request, *topology;
        Config *config;
        char *wanted; /* what comes out of it */
        char *got;
        char *json;
} Case;

static const char *part(char *text, const char *mark)
{
        char *at = strstr(text, mark);

        assert_non_null(at);
        *at = '\0';
        return at + strlen(mark);
}

static void load_case(Case *c, const char *name)
{
        const char *dir = getenv("PMEMREMOVED_POLICY_CASES");
        _cleanup_(freep) char *path = string_printf("%s/%s", dir ? dir : "tests/policy", name);
        char *expect;

        *c = (Case){ 0 };
        assert_int_equal(read_full_file(path, 1 << 20, &c->text, NULL), 0);
        assert_int_equal(config_new_defaults(&c->config), 0);
        expect = strstr(c->text, "--- expect\n");
        assert_non_null(expect);
        *expect = '\0';
        c->topology = part(c->text, "--- topology\n");
        c->request = part(c->text, "--- request\n");
}

static void drop_case(Case *c)
{
        (void)config_free(c->config);
        free(c->text);
        free(c->wanted);
        free(c->got);
        free(c->json);
}

static int read_request(const char *text, Request **ret)
{
        _cleanup_(freep) char *line = strndup(text, strcspn(text, "\n"));
        _cleanup_(record_freep) Record *r = NULL;
        int e = line ? record_parse(line, &r) : -ENOMEM;

        return e < 0 ? e : request_from_record(r, ret);
}

/* As planner and daemon do it: what the one prints the other reads. */
static int decide(Case *c)
{
        _cleanup_(request_freep) Request *req = NULL;
        _cleanup_(graph_freep) Graph *g = NULL, *copy = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL, *again = NULL;
        _cleanup_(freep) char *text = NULL;
        Failure f = { 0 };
        unsigned line;
        int e;

        e = read_request(c->request, &req);
        if (e == 0)
                e = graph_parse(c->topology, &g, &line);
        if (e == 0)
                e = policy_decide(c->config, g, req, &v, &f);
        if (e == 0)
                e = verdict_print(v, g, &text);
        if (e == 0)
                e = verdict_parse(text, &again, &copy, &f);
        if (e == 0)
                e = verdict_print(again, copy, &c->got);
        if (e == 0 && again->plan)
                e = plan_print_json(again->plan, &c->json);
        return e;
}

static void try_decision(void *arg, int *ret)
{
        Case *c = arg;

        free(c->got);
        free(c->json);
        c->got = c->json = NULL;
        *ret = decide(c);
}

static void look_at_decision(void *arg, int r)
{
        const Case *c = arg;

        if (r == 0)
                assert_string_equal(c->got, c->wanted);
        else
                assert_int_equal(r, -ENOMEM);
}

static void test_decisions(void **state)
{
        static const char *const names[] = { "units.case", "auto-forced.case", "dm-stack.case",
                "leg.case", "nfs-unexport.case", "all-blockers.case", "kmem.case", "swap.case",
                "notes.case", "target-glob.case" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                Case c;

                load_case(&c, names[i]);
                if (decide(&c) == 0) {
                        c.wanted = c.got;
                        c.got = NULL;
                        each(try_decision, look_at_decision, &c);
                }
                drop_case(&c);
        }
}

/* --- a ledger --- */

/* Memory, as /run is: thousands of synced writes to a disk would take minutes. */
static char dir[] = "/dev/shm/pmemremoved-test-XXXXXX";

typedef struct Story {
        Request *req;
        Plan *plan;
        uint64_t id; /* 0: it was not created */
        size_t appended;
} Story;

static int append(Ledger *l, const char *verb, const char *name)
{
        _cleanup_(record_freep) Record *r = record_new(verb, name);

        return r ? ledger_append(l, r) : -ENOMEM;
}

static int tell(Story *s)
{
        static const char *const steps[] = { "1", "2", "3" };
        _cleanup_(ledger_freep) Ledger *l = NULL, *again = NULL;
        int r;

        r = ledger_create(dir, s->req, s->plan, &l);
        if (r < 0)
                return r;
        s->id = l->id;
        for (size_t i = 0; i < ELEMENTSOF(steps) && r == 0; i++) {
                r = append(l, "begin", steps[i]);
                s->appended += r == 0;
        }
        if (r == 0)
                r = ledger_load_id(dir, s->id, policy_find_step, &again);
        if (r == 0)
                assert_int_equal(again->n_records, ELEMENTSOF(steps));
        return r;
}

static void try_story(void *arg, int *ret)
{
        Story *s = arg;

        s->id = 0;
        s->appended = 0;
        *ret = tell(s);
}

/* There is one with what was written, or none. */
static void look_at_story(void *arg, int r)
{
        const Story *s = arg;
        _cleanup_(freep) uint64_t *ids = NULL;
        _cleanup_(ledger_freep) Ledger *l = NULL;
        size_t n;

        assert_true(r == 0 || r == -ENOMEM);
        assert_int_equal(ledger_list(dir, &ids, &n), 0);
        assert_int_equal(n, s->id > 0);
        if (s->id == 0)
                return;
        assert_int_equal(ledger_load_id(dir, s->id, policy_find_step, &l), 0);
        assert_int_equal(l->n_records, s->appended);
        assert_int_equal(l->torn_at, -1);
        assert_int_equal(unlink(l->path), 0);
}

static void test_ledger(void **state)
{
        _cleanup_(verdict_freep) Verdict *v = NULL;
        _cleanup_(graph_freep) Graph *g = NULL;
        Story s = { 0 };
        Failure f = { 0 };
        unsigned line;
        Case c;

        load_case(&c, "units.case");
        assert_int_equal(read_request(c.request, &s.req), 0);
        assert_int_equal(graph_parse(c.topology, &g, &line), 0);
        assert_int_equal(policy_decide(c.config, g, s.req, &v, &f), 0);
        s.plan = v->plan;
        assert_non_null(s.plan);
        each(try_story, look_at_story, &s);
        (void)request_free(s.req);
        drop_case(&c);
}

/* --- the daemon's picture of a removal --- */

static const char *const told[] = { "begin 1 step=stop-units",
        "awaited text=\"waits for one\" 1=\"process 812 comm=db uses=fd\"",
        "progress 1 text=\"waits for two\"", "held 812 comm=db uses=fd example=/mnt/x",
        "killed 812 comm=db unit=db.service reason=\"it stayed\"",
        "vetoed 10-site text=\"not now\"", "awaited text=\"waits for a third\"",
        "progress 1 text=\"waits for a fourth\"", "unbinding namespace0.0", "recovering" };

/* A word that there is no memory for is missing in it; it never becomes another one. */
static void try_picture(void *arg, int *ret)
{
        Removal *r = arg;

        for (size_t i = 0; i < ELEMENTSOF(told); i++) {
                _cleanup_(record_freep) Record *rec = NULL;

                if (record_parse(told[i], &rec) == 0)
                        (void)removal_take(r, rec);
        }
        *ret = 0;
}

static void look_at_picture(void *arg, int e)
{
        Removal *r = arg;

        if (r->progress)
                assert_true(streq(r->progress, "finishing what a dead worker left") ||
                            strncmp(r->progress, "waits for", 9) == 0);
        assert_true(r->n_killed <= 1 && r->n_blockers <= 2);
        removal_forget(r);
        assert_null(r->progress);
}

static void test_picture(void **state)
{
        _cleanup_(verdict_freep) Verdict *v = NULL;
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(request_freep) Request *req = NULL;
        Manager m = { 0 };
        Removal r = { .manager = &m, .replaying = true };
        Failure f = { 0 };
        unsigned line;
        Case c;

        load_case(&c, "units.case");
        assert_int_equal(read_request(c.request, &req), 0);
        assert_int_equal(graph_parse(c.topology, &g, &line), 0);
        assert_int_equal(policy_decide(c.config, g, req, &v, &f), 0);
        assert_non_null(v->plan);
        r.request = req;
        r.plan = v->plan;
        r.steps = calloc(v->plan->n_steps + 1, sizeof(*r.steps));
        assert_non_null(r.steps);
        each(try_picture, look_at_picture, &r);
        free(r.steps);
        drop_case(&c);
}

static int setup(void **state)
{
        return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
        _cleanup_(freep) char *last = string_printf("%s/last-id", dir);

        (void)unlink(strempty(last));
        return rmdir(dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_decisions),
                cmocka_unit_test(test_ledger),
                cmocka_unit_test(test_picture),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
