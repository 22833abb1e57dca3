/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A verdict as text, for the pipe between the planner and the daemon:
 *
 *     verdict mode=auto estimate=250000 closure="namespace0.0 region0"
 *     blocker NODE kind=busy sentence="..."
 *     plan
 *     <plan, up to "end">
 *     graph
 *     <topology>
 *
 * "failure" in place of "verdict": the question itself was bad. */

#include <inttypes.h>

#include "policy.h"
#include "util/text.h"

Verdict *verdict_free(Verdict *v)
{
        if (!v)
                return NULL;
        plan_free(v->plan);
        free(v->blockers);
        free(v->mode);
        free(v->closure);
        free(v);
        return NULL;
}

static int failure_to_record(const char *verb, const Failure *f, Record **ret)
{
        _cleanup_(record_freep) Record *r = record_new(verb, *f->node ? f->node : NULL);
        int e;

        if (!r)
                return -ENOMEM;
        e = record_set(r, "kind", failure_info(f->kind)->name);
        if (e == 0)
                e = record_setf(r, "err", "%d", -f->err);
        if (e == 0 && *f->sentence)
                e = record_set(r, "sentence", f->sentence);
        if (e < 0)
                return e;
        *ret = TAKE_PTR(r);
        return 0;
}

static int failure_from_record(const Record *r, Failure *f)
{
        FailureKind kind = failure_kind_from_string(strempty(record_get(r, "kind")));
        uint64_t err = 0;

        if (kind <= FAILURE_NONE || record_get_u64(r, "err", &err) < 0 || err > 4095)
                return -EBADMSG;
        *f = (Failure){ 0 };
        (void)failure_set(f, kind, -(int)err, r->name, "%s", strempty(record_get(r, "sentence")));
        return 0;
}

static int write_record(FILE *f, const Record *r)
{
        _cleanup_(freep) char *line = record_print(r);

        if (!line)
                return -ENOMEM;
        return fprintf(f, "%s\n", line) < 0 ? -ENOMEM : 0;
}

static int write_head(FILE *f, const Verdict *v)
{
        _cleanup_(record_freep) Record *r = record_new("verdict", NULL);
        int e;

        if (!r)
                return -ENOMEM;
        e = record_set(r, "mode", v->mode);
        if (e == 0)
                e = record_setf(r, "estimate", "%" PRIu64, v->estimate_usec);
        if (e == 0)
                e = record_set(r, "closure", v->closure);
        return e < 0 ? e : write_record(f, r);
}

static int write_blockers(FILE *f, const Verdict *v)
{
        for (size_t i = 0; i < v->n_blockers; i++) {
                _cleanup_(record_freep) Record *r = NULL;
                int e = failure_to_record("blocker", &v->blockers[i], &r);

                if (e == 0)
                        e = write_record(f, r);
                if (e < 0)
                        return e;
        }
        return 0;
}

static int write_verdict(FILE *f, const Verdict *v, const Graph *g)
{
        _cleanup_(freep) char *plan = NULL, *graph = NULL;
        int e;

        e = write_head(f, v);
        if (e == 0)
                e = write_blockers(f, v);
        if (e == 0 && v->plan)
                e = plan_print(v->plan, &plan);
        if (e == 0 && g)
                e = graph_print(g, &graph);
        if (e < 0)
                return e;
        if (plan && fprintf(f, "plan\n%s", plan) < 0)
                return -ENOMEM;
        return fprintf(f, "graph\n%s", strempty(graph)) < 0 ? -ENOMEM : 0;
}

static int close_text(FILE *f, int e, char **text, char **ret)
{
        if (memstream_close(f, text) < 0 && e == 0)
                e = -ENOMEM;
        if (e < 0)
                return e;
        *ret = TAKE_PTR(*text);
        return 0;
}

int verdict_print(const Verdict *v, const Graph *g, char **ret)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        return close_text(f, write_verdict(f, v, g), &text, ret);
}

int verdict_print_failure(const Failure *failure, char **ret)
{
        _cleanup_(record_freep) Record *r = NULL;
        _cleanup_(freep) char *line = NULL;
        int e;

        e = failure_to_record("failure", failure, &r);
        if (e < 0)
                return e;
        line = record_print(r);
        if (!line)
                return -ENOMEM;
        *ret = string_printf("%s\n", line);
        return *ret ? 0 : -ENOMEM;
}

static int add_blocker(Verdict *v, const Record *r)
{
        Failure *grown = reallocarray(v->blockers, v->n_blockers + 1, sizeof(Failure));

        if (!grown)
                return -ENOMEM;
        v->blockers = grown;
        return failure_from_record(r, &v->blockers[v->n_blockers++]);
}

/* Each word once: what came before would be lost. */
static int read_head(Verdict *v, const Record *r)
{
        int e = v->mode || !record_get(r, "mode") || !record_get(r, "closure") ? -EBADMSG : 0;

        if (e == 0)
                e = free_and_strdup(&v->mode, record_get(r, "mode"));

        if (e == 0)
                e = free_and_strdup(&v->closure, record_get(r, "closure"));
        if (e == 0)
                e = record_get_u64(r, "estimate", &v->estimate_usec);
        return e;
}

/* One line; 1: the rest is the graph. *text moves on. */
static int read_line(Verdict *v, const char **text, Failure *f)
{
        _cleanup_(record_freep) Record *r = NULL;
        const char *nl = strchr(*text, '\n');
        _cleanup_(freep) char *line = nl ? strndup(*text, (size_t)(nl - *text)) : NULL;
        int e;

        if (!nl)
                return -EBADMSG;
        e = line ? record_parse(line, &r) : -ENOMEM;
        if (e < 0)
                return e;
        *text = nl + 1;
        if (streq(r->verb, "failure")) {
                e = failure_from_record(r, f);
                return e < 0 ? e : f->err < 0 ? f->err : -EINVAL;
        }
        if (streq(r->verb, "verdict"))
                return read_head(v, r);
        if (streq(r->verb, "blocker"))
                return add_blocker(v, r);
        if (streq(r->verb, "plan"))
                return v->plan ? -EBADMSG : plan_parse(*text, policy_find_step, &v->plan, text);
        return streq(r->verb, "graph") ? 1 : -EBADMSG;
}

/* A planner that lost its way must not look like one that refuses without a reason. */
static bool is_complete(const Verdict *v)
{
        return v->mode && (v->plan ? v->n_blockers == 0 : v->n_blockers > 0);
}

int verdict_parse(const char *text, Verdict **ret, Graph **ret_graph, Failure *f)
{
        _cleanup_(verdict_freep) Verdict *v = calloc(1, sizeof(*v));
        unsigned line;
        int e = 0;

        if (!v)
                return -ENOMEM;
        while (e == 0)
                e = read_line(v, &text, f);
        if (e < 0)
                return e;
        if (!is_complete(v))
                return -EBADMSG;
        e = graph_parse(text, ret_graph, &line);
        if (e < 0)
                return e;
        *ret = TAKE_PTR(v);
        return 0;
}
