/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The plan for the site's programs (pmemremoved(8), HOOKS): the same records as in its text, every
 * value a string, so that a key which is new needs nothing here. */

#include "plan.h"
#include "util/json.h"

static void print_record(Json *j, const char *key, const Record *r)
{
        json_open(j, key, '{');
        if (r->name)
                json_string(j, "name", r->name);
        for (size_t i = 0; i < r->n_fields; i++)
                json_string(j, r->fields[i].key, r->fields[i].value);
        json_close(j, '}');
}

static void print_records(Json *j, const char *key, Record *const *records, size_t n)
{
        json_open(j, key, '[');
        for (size_t i = 0; i < n; i++)
                print_record(j, NULL, records[i]);
        json_close(j, ']');
}

static void print_steps(Json *j, const Plan *p)
{
        json_open(j, "steps", '[');
        for (size_t i = 0; i < p->n_steps; i++)
                print_record(j, NULL, p->steps[i].args);
        json_close(j, ']');
}

static void print_plan(Json *j, const Plan *p)
{
        json_open(j, NULL, '{');
        json_string(j, "id", p->id);
        print_record(j, "target", p->target);
        print_records(j, "roads", p->roads, p->n_roads);
        print_records(j, "processes", p->processes, p->n_processes);
        print_steps(j, p);
        json_open(j, "notes", '[');
        for (char **n = p->notes; n && *n; n++)
                json_string(j, NULL, *n);
        json_close(j, ']');
        json_close(j, '}');
        fputc('\n', j->out);
}

int plan_print_json(const Plan *p, char **ret)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        Json j = { .out = open_memstream(&text, &size) };

        if (!j.out)
                return -ENOMEM;
        print_plan(&j, p);
        if (memstream_close(j.out, &text) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}
