/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Golden cases: tests/policy/NAME.case holds a policy file, a request, a topology and what comes
 * out of them. A report about a wrong decision becomes such a text file.
 *
 * PMEMREMOVED_UPDATE=1 writes what comes out into the files; the diff is then what a reviewer
 * reads. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "policy.h"
#include "util/text.h"

static const char *const sections[] = { "config", "request", "topology", "expect" };

typedef struct Case {
        const char *path;
        char *text;
        const char *part[ELEMENTSOF(sections)];
} Case;

static char *config_path;

/* Cuts the text at its "--- NAME" lines, in place. */
static void case_split(Case *c)
{
        char *from = c->text;

        for (size_t i = 0; i < ELEMENTSOF(sections); i++) {
                char mark[32], *at;

                (void)snprintf(mark, sizeof(mark), "--- %s\n", sections[i]);
                at = strstr(from, mark);
                assert_non_null(at);
                *at = '\0';
                from = at + strlen(mark);
                c->part[i] = from;
        }
}

static Config *load_config(const char *text)
{
        FILE *f = fopen(config_path, "we");
        Failure failure = { 0 };
        Config *c = NULL;

        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
        if (config_load_file(config_path, &c, &failure) < 0)
                fail_msg("%s", failure.sentence);
        return c;
}

static Request *load_request(const char *text)
{
        _cleanup_(freep) char *line = strndup(text, strcspn(text, "\n"));
        _cleanup_(record_freep) Record *r = NULL;
        Request *req = NULL;

        assert_int_equal(record_parse(line, &r), 0);
        assert_int_equal(request_from_record(r, &req), 0);
        return req;
}

static char *outcome(const Verdict *v)
{
        char *text = NULL;
        size_t size;
        FILE *f;

        if (v->plan) {
                assert_int_equal(plan_print(v->plan, &text), 0);
                return text;
        }
        f = open_memstream(&text, &size);
        for (size_t i = 0; i < v->n_blockers; i++)
                (void)fprintf(f, "blocker %s %s: %s\n", failure_info(v->blockers[i].kind)->name,
                        v->blockers[i].node, v->blockers[i].sentence);
        (void)fclose(f);
        return text;
}

static char *decide(const Case *c)
{
        _cleanup_(config_freep) Config *config = load_config(c->part[0]);
        _cleanup_(request_freep) Request *req = load_request(c->part[1]);
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL;
        Failure f = { 0 };
        unsigned line = 0;

        if (graph_parse(c->part[2], &g, &line) < 0)
                fail_msg("%s: topology: line %u is bad", c->path, line);
        if (policy_decide(config, g, req, &v, &f) < 0)
                return string_printf(
                        "failure %s %s: %s\n", failure_info(f.kind)->name, f.node, f.sentence);
        return outcome(v);
}

static void update(const char *path, const Case *c, const char *head, const char *got)
{
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        (void)fprintf(f, "%s", head);
        for (size_t i = 0; i + 1 < ELEMENTSOF(sections); i++)
                (void)fprintf(f, "--- %s\n%s", sections[i], c->part[i]);
        (void)fprintf(f, "--- expect\n%s", got);
        assert_int_equal(fclose(f), 0);
}

static void run_case(const char *path)
{
        Case c = { .path = path };
        _cleanup_(freep) char *got = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(read_full_file(path, 1 << 20, &text, NULL), 0);
        c.text = text;
        case_split(&c);
        got = decide(&c);
        if (getenv("PMEMREMOVED_UPDATE"))
                update(path, &c, c.text, got);
        else if (!streq(got, c.part[3]))
                fail_msg("%s: expected\n%s\ngot\n%s", path, c.part[3], got);
}

static void test_golden_cases(void **state)
{
        const char *dir = getenv("PMEMREMOVED_POLICY_CASES");
        _cleanup_(closedirp) DIR *d = opendir(dir ? dir : "tests/policy");
        size_t n = 0;

        assert_non_null(d);
        for (struct dirent *e; (e = readdir(d));) {
                _cleanup_(freep) char *path = NULL;

                if (fnmatch("*.case", e->d_name, 0) != 0)
                        continue;
                path = string_printf("%s/%s", dir ? dir : "tests/policy", e->d_name);
                run_case(path);
                n++;
        }
        assert_true(n >= 10);
}

/* Whatever plan comes out: what cannot be undone stands at or after the commit step (or "done",
 * which commits by itself), every step is found again by its name, and the printed plan reads back
 * as itself. */
static void check_plan(const Plan *p)
{
        _cleanup_(freep) char *text = NULL;
        _cleanup_(plan_freep) Plan *again = NULL;

        for (unsigned rung = 1; rung <= MAX_OF(p->n_roads, (size_t)1); rung++) {
                bool committed = false;

                for (size_t i = 0; i < p->n_steps; i++) {
                        const Step *s = &p->steps[i];

                        assert_ptr_equal(policy_find_step(s->ops->name), s->ops);
                        if (s->rung != 0 && s->rung != rung)
                                continue;
                        committed = committed || s->ops == &step_commit || s->ops == &step_done;
                        if (!s->ops->revert)
                                assert_true(committed);
                }
        }
        assert_int_equal(plan_print(p, &text), 0);
        assert_int_equal(plan_parse(text, policy_find_step, &again, NULL), 0);
        assert_string_equal(again->id, p->id);
}

static void plan_of_case(const char *path)
{
        _cleanup_(freep) char *text = NULL;
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(request_freep) Request *req = NULL;
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL;
        Failure f = { 0 };
        Case c = { .path = path };
        unsigned line;

        assert_int_equal(read_full_file(path, 1 << 20, &text, NULL), 0);
        c.text = text;
        case_split(&c);
        config = load_config(c.part[0]);
        req = load_request(c.part[1]);
        assert_int_equal(graph_parse(c.part[2], &g, &line), 0);
        if (policy_decide(config, g, req, &v, &f) == 0 && v->plan)
                check_plan(v->plan);
}

static void test_plans_keep_the_contract(void **state)
{
        const char *dir = getenv("PMEMREMOVED_POLICY_CASES");
        _cleanup_(closedirp) DIR *d = opendir(dir ? dir : "tests/policy");

        assert_non_null(d);
        for (struct dirent *e; (e = readdir(d));) {
                _cleanup_(freep) char *path = NULL;

                if (fnmatch("*.case", e->d_name, 0) != 0)
                        continue;
                path = string_printf("%s/%s", dir ? dir : "tests/policy", e->d_name);
                plan_of_case(path);
        }
}

static int setup(void **state)
{
        config_path = string_printf("/tmp/pmemremoved-test-policy-%d.conf", getpid());
        return config_path ? 0 : -1;
}

static int teardown(void **state)
{
        (void)unlink(config_path);
        free(config_path);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_golden_cases),
                cmocka_unit_test(test_plans_keep_the_contract),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
