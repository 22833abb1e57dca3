/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replies as JSON. One table names the members of the structs; names of members are part of the
 * interface (pmemremovectl(1)) and only grow in number. With --json there is exactly one document
 * on stdout, also when the answer is no. */

#include "ctl.h"

static const struct {
        const char *key;
        const char *columns[6];
} structs[] = {
        { "steps", { "number", "rung", "step", "node" } },
        { "step-states", { "number", "rung", "step", "node", "state" } },
        { "kills", { "pid", "command", "unit", "why" } },
        { "killed", { "pid", "command", "unit", "why" } },
        { "awaited", { "pid", "command", "unit", "uses" } },
        { "blockers", { "error", "node", "sentence" } },
        { "roads", { "name", "why" } },
        { "error", { "error", "sentence" } },
        { "progress", { "percent", "message", "depth" } },
        { "kernel-pre-remove", { "answer", "evidence" } },
        { "holders", { "kind", "name" } },
        { "removals", { "id", "path", "target", "state", "result" } },
};

static const char *const *struct_columns(const char *key)
{
        for (size_t i = 0; i < ELEMENTSOF(structs); i++)
                if (streq(structs[i].key, key))
                        return structs[i].columns;
        return NULL;
}

static void json_cell(Json *j, const char *key, char type, const char *cell)
{
        if (strchr("sog", type))
                json_string(j, key, cell);
        else
                json_raw(j, key, cell);
}

static void json_row(Json *j, const char *key, const Value *v, size_t row, const char *const *names)
{
        json_open(j, key, names ? '{' : '[');
        for (size_t i = 0; v->columns[i] && !(names && !names[i]); i++)
                json_cell(j, names ? names[i] : NULL, v->columns[i], value_cell(v, row, i));
        json_close(j, names ? '}' : ']');
}

static void json_on(Json *j, const Node *n)
{
        if (n->n_lower == 0)
                return;
        json_open(j, "on", '[');
        for (size_t i = 0; i < n->n_lower; i++) {
                json_open(j, NULL, '{');
                json_string(j, "kind", node_kind(n->lower[i]));
                json_string(j, "name", node_name(n->lower[i]));
                json_close(j, '}');
        }
        json_close(j, ']');
}

static void json_graph(Json *j, const char *key, const Graph *g)
{
        json_open(j, key, '[');
        for (size_t i = 0; i < g->n_nodes; i++) {
                const Record *r = g->nodes[i]->record;

                json_open(j, NULL, '{');
                json_string(j, "kind", r->verb);
                json_string(j, "name", strempty(r->name));
                json_on(j, g->nodes[i]);
                for (size_t k = 0; k < r->n_fields; k++)
                        json_string(j, r->fields[k].key, r->fields[k].value);
                json_close(j, '}');
        }
        json_close(j, ']');
}

static void json_map(Json *j, const Value *v)
{
        json_open(j, v->key, '{');
        for (size_t i = 0; i < value_rows(v); i++)
                json_string(j, value_cell(v, i, 0), value_cell(v, i, 1));
        json_close(j, '}');
}

void json_value(Json *j, const Value *v)
{
        const char *const *names = struct_columns(v->key);

        if (v->graph) {
                json_graph(j, v->key, v->graph);
        } else if (!v->columns) {
                return;
        } else if (streq(v->signature, "a{ss}")) {
                json_map(j, v);
        } else if (v->signature[0] == '(') {
                json_row(j, v->key, v, 0, names);
        } else if (v->signature[0] != 'a') {
                json_cell(j, v->key, v->columns[0], value_cell(v, 0, 0));
        } else {
                json_open(j, v->key, '[');
                for (size_t i = 0; i < value_rows(v); i++)
                        if (v->signature[1] == '(')
                                json_row(j, NULL, v, i, names);
                        else
                                json_cell(j, NULL, v->columns[0], value_cell(v, i, 0));
                json_close(j, ']');
        }
}

/* The Error property is a pair of empty strings when there is none. */
static bool is_no_error(const Value *v)
{
        return streq(v->key, "error") && value_cell(v, 0, ERROR_NAME)[0] == '\0';
}

void json_dict(Json *j, const Dict *d)
{
        for (size_t i = 0; i < d->n_values; i++)
                if (!is_no_error(&d->values[i]))
                        json_value(j, &d->values[i]);
}

void json_failure(Json *j, const Ctl *c)
{
        if (!c->error_sentence)
                return;
        json_open(j, "error", '{');
        json_string(j, "error", strempty(c->error_name));
        json_string(j, "sentence", c->error_sentence);
        json_close(j, '}');
}

int document_open(Document *d)
{
        *d = (Document){};
        d->json.out = open_memstream(&d->text, &d->size);
        return d->json.out ? 0 : -ENOMEM;
}

int document_close(Document *d, Ctl *c)
{
        int r;

        r = memstream_close(d->json.out, &d->text);
        if (r >= 0) {
                json_reformat(stdout, d->text, c->json == JSON_PRETTY);
                c->json_done = true;
        }
        free(d->text);
        *d = (Document){};
        return r;
}
