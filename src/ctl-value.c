/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replies, property sets and signals as text by name, so that showing them, comparing them and
 * writing them as JSON needs one piece of code each instead of one per type. Unknown keys are kept
 * or skipped: the API only grows.
 *
 * This is the one door for foreign text. The name of a process is chosen by whoever started it and
 * may hold terminal sequences or a line feed; a Dict that is meant for people escapes them here. */

#include <ctype.h>
#include <inttypes.h>

#include "ctl.h"

/* Basic types that fit in a cell. */
#define CELL_TYPES "sogbynqiuxt"

Dict *dict_new(const Ctl *c)
{
        Dict *d = calloc(1, sizeof(Dict));

        if (d)
                d->raw = c->json != JSON_OFF;
        return d;
}

static void value_clear(Value *v)
{
        for (size_t i = 0; i < v->n_cells; i++)
                free(v->cells[i]);
        free(v->cells);
        free(v->key);
        free(v->signature);
        free(v->columns);
        graph_free(v->graph);
        *v = (Value){};
}

Dict *dict_free(Dict *d)
{
        if (!d)
                return NULL;
        for (size_t i = 0; i < d->n_values; i++)
                value_clear(&d->values[i]);
        free(d->values);
        free(d);
        return NULL;
}

/* "FrozenUSec" is "frozen-usec", "StartedByUID" is "started-by-uid": people read one spelling,
 * that of the options. */
static char *kebab(const char *s)
{
        char *ret = calloc(2 * strlen(s) + 1, 1), *q = ret;

        if (!ret)
                return NULL;
        for (const char *p = s; *p; p++) {
                if (p > s && isupper((unsigned char)*p) && islower((unsigned char)p[-1]))
                        *q++ = '-';
                *q++ = (char)tolower((unsigned char)*p);
        }
        return ret;
}

static int text_read(sd_bus_message *m, bool raw, char type, char **ret)
{
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, type, &s);
        if (r < 0)
                return r;
        if (r == 0)
                return -EBADMSG;
        *ret = raw ? strdup(s) : text_escape(s, NULL);
        return *ret ? 0 : -ENOMEM;
}

static int cell_read(sd_bus_message *m, bool raw, char type, char **ret)
{
        union {
                int boolean;
                uint8_t y;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
        } u = {};
        int r;

        if (strchr("sog", type))
                return text_read(m, raw, type, ret);
        r = sd_bus_message_read_basic(m, type, &u);
        if (r < 0)
                return r;
        if (r == 0)
                return -EBADMSG;
        *ret = type == 'b'   ? strdup(u.boolean ? "true" : "false")
               : type == 'y' ? string_printf("%u", u.y)
               : type == 'n' ? string_printf("%d", u.n)
               : type == 'q' ? string_printf("%u", u.q)
               : type == 'i' ? string_printf("%" PRIi32, u.i)
               : type == 'u' ? string_printf("%" PRIu32, u.u)
               : type == 'x' ? string_printf("%" PRIi64, u.x)
                             : string_printf("%" PRIu64, u.t);
        return *ret ? 0 : -ENOMEM;
}

static int row_read(Value *v, sd_bus_message *m, bool raw)
{
        char **grown;
        int r;

        for (const char *type = v->columns; *type; type++) {
                grown = reallocarray(v->cells, v->n_cells + 1, sizeof(char *));
                if (!grown)
                        return -ENOMEM;
                v->cells = grown;
                r = cell_read(m, raw, *type, &v->cells[v->n_cells]);
                if (r < 0)
                        return r;
                v->n_cells++;
        }
        return 0;
}

static int element_read(Value *v, sd_bus_message *m, bool raw, char bracket)
{
        int r;

        if (bracket) {
                r = sd_bus_message_enter_container(m, bracket == '{' ? 'e' : 'r', v->columns);
                if (r < 0)
                        return r;
        }
        r = row_read(v, m, raw);
        if (r < 0)
                return r;
        return bracket ? sd_bus_message_exit_container(m) : 0;
}

static int rows_read(Value *v, sd_bus_message *m, bool raw, char bracket)
{
        int r;

        if (v->signature[0] != 'a')
                return element_read(v, m, raw, bracket);
        r = sd_bus_message_enter_container(m, 'a', v->signature + 1);
        while (r >= 0 && (r = sd_bus_message_at_end(m, false)) == 0)
                r = element_read(v, m, raw, bracket);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The lower nodes came before, or the daemon did not say what they are. */
static int node_link(Graph *g, Node *n, const char *on)
{
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = strv_split(on, &words);
        if (r < 0)
                return r;
        for (char **w = words; *w; w++) {
                char *colon = strchr(*w, ':');
                Node *lower;

                if (!colon)
                        continue;
                *colon = '\0';
                lower = graph_find(g, *w, colon + 1);
                if (!lower || lower == n)
                        continue;
                r = graph_link(n, lower);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int node_add(Graph *g, const Dict *attributes)
{
        const char *kind = dict_string(attributes, "kind"), *name = dict_string(attributes, "name");
        Node *n;
        int r;

        r = graph_add(g, kind, name, &n);
        if (r == -EEXIST)
                return 0;
        if (r < 0)
                return r;
        for (size_t i = 0; i < attributes->n_values; i++) {
                const Value *v = &attributes->values[i];

                if (streq(v->key, "kind") || streq(v->key, "name") || streq(v->key, "on"))
                        continue;
                r = node_set(n, v->key, value_cell(v, 0, 0));
                if (r < 0)
                        return r;
        }
        return node_link(g, n, dict_string(attributes, "on"));
}

static int node_read(Graph *g, sd_bus_message *m, bool raw)
{
        _cleanup_(dict_freep) Dict *d = calloc(1, sizeof(Dict));
        int r;

        if (!d)
                return -ENOMEM;
        d->raw = raw;
        r = sd_bus_message_enter_container(m, 'a', "{ss}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "ss")) > 0) {
                const char *key;

                r = sd_bus_message_read_basic(m, 's', &key);
                if (r >= 0)
                        r = dict_read_value(d, key, m, "s");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : node_add(g, d);
}

static int graph_read(Value *v, sd_bus_message *m, bool raw)
{
        int r;

        v->graph = graph_new();
        if (!v->graph)
                return -ENOMEM;
        r = sd_bus_message_enter_container(m, 'a', "a{ss}");
        while (r >= 0 && (r = sd_bus_message_at_end(m, false)) == 0)
                r = node_read(v->graph, m, raw);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int value_read(Value *v, sd_bus_message *m, bool raw)
{
        const char *contents = v->signature + (v->signature[0] == 'a');
        char bracket = strchr("({", contents[0]) ? contents[0] : 0;
        size_t n;

        if (streq(v->signature, "aa{ss}"))
                return graph_read(v, m, raw);
        contents += bracket != 0;
        n = strspn(contents, CELL_TYPES);
        if (n == 0 || strlen(contents + n) != (bracket != 0))
                return sd_bus_message_skip(m, v->signature);
        v->columns = strndup(contents, n);
        if (!v->columns)
                return -ENOMEM;
        return rows_read(v, m, raw, bracket);
}

/* Takes over what v holds, on failure too. */
static int dict_put(Dict *d, Value *v)
{
        Value *old = (Value *)dict_get(d, v->key), *grown;

        if (old) {
                value_clear(old);
                *old = *v;
                return 0;
        }
        grown = reallocarray(d->values, d->n_values + 1, sizeof(Value));
        if (!grown) {
                value_clear(v);
                return -ENOMEM;
        }
        d->values = grown;
        d->values[d->n_values++] = *v;
        return 0;
}

int dict_read_value(Dict *d, const char *key, sd_bus_message *m, const char *signature)
{
        Value v = { .key = kebab(key), .signature = strdup(signature) };
        int r;

        r = v.key && v.signature ? value_read(&v, m, d->raw) : -ENOMEM;
        if (r < 0) {
                value_clear(&v);
                return r;
        }
        return dict_put(d, &v);
}

int dict_put_string(Dict *d, const char *key, const char *s)
{
        Value v = { .key = strdup(key), .signature = strdup("s"), .columns = strdup("s") };

        v.cells = calloc(1, sizeof(char *));
        if (v.cells)
                v.cells[v.n_cells++] = strdup(s);
        if (!v.key || !v.signature || !v.columns || !v.cells || !v.cells[0]) {
                value_clear(&v);
                return -ENOMEM;
        }
        return dict_put(d, &v);
}

static int entry_read(Dict *d, sd_bus_message *m)
{
        const char *key, *contents;
        int r;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r < 0)
                return r;
        r = dict_read_value(d, key, m, contents);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

int dict_read(Dict *d, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = entry_read(d, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 0;
}

const Value *dict_get(const Dict *d, const char *key)
{
        for (size_t i = 0; i < d->n_values; i++)
                if (streq(d->values[i].key, key))
                        return &d->values[i];
        return NULL;
}

size_t value_rows(const Value *v)
{
        return v && v->columns ? v->n_cells / strlen(v->columns) : 0;
}

const char *value_cell(const Value *v, size_t row, size_t column)
{
        if (row >= value_rows(v) || column >= strlen(v->columns))
                return "";
        return v->cells[row * strlen(v->columns) + column];
}

const char *dict_string(const Dict *d, const char *key)
{
        return value_cell(dict_get(d, key), 0, 0);
}

uint64_t dict_u64(const Dict *d, const char *key)
{
        uint64_t u;

        return parse_u64(dict_string(d, key), &u) < 0 ? 0 : u;
}

bool dict_true(const Dict *d, const char *key)
{
        return streq(dict_string(d, key), "true");
}
