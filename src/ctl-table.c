/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables and trees, on a terminal, in a pipe or as JSON; the only user of libsmartcols. It owns the
 * handling of whatever that library leaves open: --json=short, and being silent without rows. */

#include <libsmartcols/libsmartcols.h>

#include "ctl.h"

struct Table {
        struct libscols_table *table;
        size_t n_columns;
};

static int column_add(Table *t, const Column *column)
{
        struct libscols_column *cl;
        int flags = 0, r;

        if (column->flags & COLUMN_RIGHT)
                flags |= SCOLS_FL_RIGHT;
        if (column->flags & COLUMN_TREE)
                flags |= SCOLS_FL_TREE;
        if (column->flags & COLUMN_WRAP)
                flags |= SCOLS_FL_WRAP;
        cl = scols_table_new_column(t->table, column->name, 0, flags);
        if (!cl)
                return -ENOMEM;
        r = scols_column_set_json_type(
                cl, column->flags & COLUMN_NUMBER ? SCOLS_JSON_NUMBER : SCOLS_JSON_STRING);
        return r < 0 ? r : 0;
}

static int table_init(Table *t, const Ctl *c, const char *name, const Column *columns)
{
        int r;

        t->table = scols_new_table();
        if (!t->table)
                return -ENOMEM;
        r = scols_table_set_name(t->table, name);
        if (r < 0)
                return r;
        (void)scols_table_enable_json(t->table, c->json != JSON_OFF);
        (void)scols_table_enable_noheadings(t->table, c->no_legend);
        for (size_t i = 0; i < t->n_columns; i++) {
                r = column_add(t, &columns[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

Table *table_new(const Ctl *c, const char *name, const Column *columns, size_t n_columns)
{
        _cleanup_(table_freep) Table *t = calloc(1, sizeof(Table));

        if (!t)
                return NULL;
        t->n_columns = n_columns;
        if (table_init(t, c, name, columns) < 0)
                return NULL;
        return TAKE_PTR(t);
}

Table *table_free(Table *t)
{
        if (!t)
                return NULL;
        scols_unref_table(t->table);
        free(t);
        return NULL;
}

TableLine *table_add(Table *t, TableLine *parent, const char *const *cells)
{
        struct libscols_line *line;

        line = scols_table_new_line(t->table, (struct libscols_line *)parent);
        if (!line)
                return NULL;
        for (size_t i = 0; i < t->n_columns; i++)
                if (cells[i] && cells[i][0] && scols_line_set_data(line, i, cells[i]) < 0)
                        return NULL;
        return (TableLine *)line;
}

int table_print(Table *t, Ctl *c)
{
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!c->json) {
                if (scols_table_is_empty(t->table))
                        return 0;
                r = scols_print_table(t->table);
                return r < 0 ? r : 0;
        }
        r = scols_print_table_to_string(t->table, &text);
        if (r < 0)
                return r;
        json_reformat(stdout, text, c->json == JSON_PRETTY);
        c->json_done = true;
        return 0;
}
