/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The plan as data and as text; print and parse are inverse. Notes explain a plan to people and may
 * hold what changes from second to second (an estimate), so the id leaves them out: two plans with
 * one id do the same to the same processes, mounts and devices. */

#include "plan.h"

#include <inttypes.h>

#include "util/text.h"

#define PLAN_HEAD "pmemremoved-plan 1"
#define PLAN_HEAD_ANY "pmemremoved-plan "
/* A plan names each process that may be signalled; more than this is no plan but a mistake. */
#define PLAN_LINES_MAX 100000

Plan *plan_new(void)
{
        return calloc(1, sizeof(Plan));
}

static void record_array_free(Record **a, size_t n)
{
        for (size_t i = 0; i < n; i++)
                record_free(a[i]);
        free(a);
}

Plan *plan_free(Plan *p)
{
        if (!p)
                return NULL;
        record_free(p->target);
        record_array_free(p->roads, p->n_roads);
        record_array_free(p->processes, p->n_processes);
        for (size_t i = 0; i < p->n_steps; i++)
                record_free(p->steps[i].args);
        free(p->steps);
        strv_free(p->notes);
        free(p);
        return NULL;
}

static int record_array_add(Record ***a, size_t *n, Record *r)
{
        Record **grown = reallocarray(*a, *n + 1, sizeof(Record *));

        if (!grown)
                return -ENOMEM;
        grown[(*n)++] = r;
        *a = grown;
        return 0;
}

int plan_add_process(Plan *p, Record *r)
{
        return record_array_add(&p->processes, &p->n_processes, r);
}

int plan_add_road(Plan *p, Record *r)
{
        return record_array_add(&p->roads, &p->n_roads, r);
}

int plan_add_step(Plan *p, const StepOps *ops, unsigned rung, Record *args)
{
        Step *grown = reallocarray(p->steps, p->n_steps + 1, sizeof(Step));

        if (!grown)
                return -ENOMEM;
        p->steps = grown;
        p->steps[p->n_steps] = (Step){
                .ops = ops,
                .args = args,
                .number = (unsigned)p->n_steps + 1,
                .rung = rung,
        };
        p->n_steps++;
        return 0;
}

int plan_add_note(Plan *p, const char *fmt, ...)
{
        char text[1024];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        /* A note is one line of the text: a name with a newline in it must not become a step. */
        for (char *c = text; *c; c++)
                if ((unsigned char)*c < ' ')
                        *c = ' ';
        return strv_append(&p->notes, text);
}

static int record_line(FILE *f, const Record *r)
{
        _cleanup_(freep) char *line = record_print(r);

        if (!line)
                return -ENOMEM;
        return fprintf(f, "%s\n", line) < 0 ? -EIO : 0;
}

static int record_lines(FILE *f, Record *const *a, size_t n)
{
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                r = record_line(f, a[i]);
        return r;
}

static int plan_write(const Plan *p, bool notes, FILE *f)
{
        int r = fprintf(f, PLAN_HEAD "\n") < 0 ? -EIO : 0;

        if (r == 0)
                r = record_line(f, p->target);
        if (r == 0)
                r = record_lines(f, p->roads, p->n_roads);
        if (r == 0)
                r = record_lines(f, p->processes, p->n_processes);
        for (size_t i = 0; i < p->n_steps && r == 0; i++)
                r = record_line(f, p->steps[i].args);
        if (r == 0 && notes && p->estimate_usec > 0 &&
                fprintf(f, "estimate usec=%" PRIu64 "\n", p->estimate_usec) < 0)
                r = -EIO;
        for (char **n = notes ? p->notes : NULL; n && *n && r == 0; n++)
                r = fprintf(f, "# %s\n", *n) < 0 ? -EIO : 0;
        if (r == 0 && fprintf(f, "end\n") < 0)
                r = -EIO;
        return r;
}

static int plan_text(const Plan *p, bool notes, char **ret)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        int r;

        if (!f)
                return -ENOMEM;
        r = plan_write(p, notes, f);
        if (memstream_close(f, &text) < 0 && r == 0)
                r = -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

int plan_print(const Plan *p, char **ret)
{
        return plan_text(p, true, ret);
}

int plan_seal(Plan *p)
{
        _cleanup_(freep) char *text = NULL;
        int r;

        r = plan_text(p, false, &text);
        if (r < 0)
                return r;
        digest_hex(text, strlen(text), p->id);
        return 0;
}

static int parse_step(Plan *p, Record *r, StepLookup lookup)
{
        const char *name = record_get(r, "op");
        const StepOps *ops = name ? lookup(name) : NULL;
        uint64_t rung = 0;
        int e;

        if (!ops)
                return name ? -EPROTONOSUPPORT : -EBADMSG;
        e = record_get_u64(r, "rung", &rung);
        if ((e < 0 && e != -ENOENT) || rung > 2)
                return -EBADMSG;
        return plan_add_step(p, ops, (unsigned)rung, r);
}

/* Files one record where it belongs; it is taken over on success. */
static int parse_record(Plan *p, Record *r, StepLookup lookup)
{
        if (streq(r->verb, "target")) {
                if (p->target)
                        return -EBADMSG;
                p->target = r;
                return 0;
        }
        if (streq(r->verb, "road"))
                return plan_add_road(p, r);
        if (streq(r->verb, "process"))
                return plan_add_process(p, r);
        if (streq(r->verb, "step"))
                return parse_step(p, r, lookup);
        return -EBADMSG;
}

static int parse_line(Plan *p, const char *line, StepLookup lookup)
{
        _cleanup_(record_freep) Record *r = NULL;
        int e;

        if (strncmp(line, "# ", 2) == 0)
                return strv_append(&p->notes, line + 2);
        e = record_parse(line, &r);
        if (e < 0)
                return e;
        if (streq(r->verb, "estimate"))
                return record_get_u64(r, "usec", &p->estimate_usec) < 0 ? -EBADMSG : 0;
        e = parse_record(p, r, lookup);
        if (e < 0)
                return e;
        (void)TAKE_PTR(r);
        return 0;
}

/* The next line as its own string; *text moves behind it. -EBADMSG when there is no newline: what
 * is cut short is not obeyed. */
static int next_line(const char **text, char **ret)
{
        const char *nl = strchr(*text, '\n');

        if (!nl)
                return -EBADMSG;
        *ret = strndup(*text, (size_t)(nl - *text));
        *text = nl + 1;
        return *ret ? 0 : -ENOMEM;
}

static int parse_head(const char **text)
{
        _cleanup_(freep) char *line = NULL;
        int r;

        r = next_line(text, &line);
        if (r < 0)
                return r;
        if (streq(line, PLAN_HEAD))
                return 0;
        return strncmp(line, PLAN_HEAD_ANY, strlen(PLAN_HEAD_ANY)) == 0 ? -EPROTONOSUPPORT
                                                                        : -EBADMSG;
}

int plan_parse(const char *text, StepLookup lookup, Plan **ret, const char **ret_rest)
{
        _cleanup_(plan_freep) Plan *p = plan_new();
        int r;

        if (!p)
                return -ENOMEM;
        r = parse_head(&text);
        for (size_t lines = 0; r == 0; lines++) {
                _cleanup_(freep) char *line = NULL;

                r = next_line(&text, &line);
                if (r == 0 && streq(line, "end"))
                        break;
                if (r == 0)
                        r = lines < PLAN_LINES_MAX ? parse_line(p, line, lookup) : -E2BIG;
        }
        if (r == 0 && !p->target)
                r = -EBADMSG;
        if (r == 0)
                r = plan_seal(p);
        if (r < 0)
                return r;
        if (ret_rest)
                *ret_rest = text;
        *ret = TAKE_PTR(p);
        return 0;
}

const char *plan_step_text(const Step *s, char *buf, size_t size)
{
        uint64_t ns_pid = step_get_u64(s, "ns-pid");

        if (ns_pid == 0 && step_get(s, "ns-pid"))
                (void)snprintf(buf, size, "%s %s in the mount namespace %s, which has no process",
                        s->ops->title, step_node(s), strna(step_get(s, "ns")));
        else if (ns_pid > 1)
                (void)snprintf(buf, size, "%s %s in the mount namespace of process %" PRIu64,
                        s->ops->title, step_node(s), ns_pid);
        else if (*step_node(s))
                (void)snprintf(buf, size, "%s %s", s->ops->title, step_node(s));
        else if (step_get(s, "signal"))
                (void)snprintf(buf, size, "%s by %s", s->ops->title, step_get(s, "signal"));
        else
                (void)snprintf(buf, size, "%s", s->ops->title);
        return buf;
}

const char *plan_road(const Plan *p, unsigned rung)
{
        if (rung == 0 || rung > p->n_roads)
                return "";
        return strempty(p->roads[rung - 1]->name);
}

uint64_t step_get_u64(const Step *s, const char *key)
{
        uint64_t v;

        return record_get_u64(s->args, key, &v) < 0 ? 0 : v;
}

dev_t step_get_dev(const Step *s, const char *key)
{
        const char *text = step_get(s, key);
        dev_t dev;

        return text && parse_devnum(text, &dev) == 0 ? dev : 0;
}
