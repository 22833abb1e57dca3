/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who stands on whom. Walks visit a node once, so a cycle that a broken sysfs shows cannot hold
 * them up before the sort refuses it; they are iterative and thread their work list through the
 * nodes, so they need no memory. Names are found by a hash: the graph of a machine with a thousand
 * mounts and thousands of processes is filled in linear time. */

#include <stdarg.h>

#include "util/graph.h"
#include "util/text.h"

/* What stands for itself inside on=; "%", "," and ":" are the syntax. */
#define REFERENCE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@+-"

Graph *graph_new(void)
{
        return calloc(1, sizeof(Graph));
}

static Node *node_free(Node *n)
{
        if (!n)
                return NULL;
        record_free(n->record);
        free(n->lower);
        free(n->upper);
        free(n);
        return NULL;
}
DEFINE_CLEANUP(Node *, node_free);

Graph *graph_free(Graph *g)
{
        if (!g)
                return NULL;
        for (size_t i = 0; i < g->n_nodes; i++)
                node_free(g->nodes[i]);
        free(g->nodes);
        free(g->buckets);
        free(g);
        return NULL;
}

#define BUCKETS_INITIAL 64 /* a power of two */

/* FNV-1a over kind and name. */
static Node **bucket_of(const Graph *g, const char *kind, const char *name)
{
        uint64_t hash = UINT64_C(14695981039346656037);

        for (; *kind; kind++)
                hash = (hash ^ (unsigned char)*kind) * UINT64_C(1099511628211);
        for (; *name; name++)
                hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
        return g->buckets + (hash & (g->n_buckets - 1));
}

static void bucket_add(Graph *g, Node *n)
{
        Node **bucket = bucket_of(g, node_kind(n), node_name(n));

        n->same_hash = *bucket;
        *bucket = n;
}

static int buckets_grow(Graph *g)
{
        size_t n = g->n_buckets ? 2 * g->n_buckets : BUCKETS_INITIAL;
        Node **buckets = calloc(n, sizeof(Node *));

        if (!buckets)
                return -ENOMEM;
        free(g->buckets);
        g->buckets = buckets;
        g->n_buckets = n;
        for (size_t i = 0; i < g->n_nodes; i++)
                bucket_add(g, g->nodes[i]);
        return 0;
}

static int node_append(Node ***list, size_t *n, Node *node)
{
        Node **grown;

        grown = reallocarray(*list, *n + 1, sizeof(Node *));
        if (!grown)
                return -ENOMEM;
        grown[(*n)++] = node;
        *list = grown;
        return 0;
}

/* On success the record belongs to the graph. */
static int graph_add_record(Graph *g, Record *record, Node **ret)
{
        _cleanup_(node_freep) Node *node = NULL;
        int r;

        if (graph_find(g, record->verb, strempty(record->name)))
                return -EEXIST;
        r = g->n_nodes >= g->n_buckets ? buckets_grow(g) : 0;
        if (r < 0)
                return r;
        node = calloc(1, sizeof(Node));
        if (!node)
                return -ENOMEM;
        node->graph = g;
        r = node_append(&g->nodes, &g->n_nodes, node);
        if (r < 0)
                return r;
        node->record = record;
        bucket_add(g, node);
        if (ret)
                *ret = node;
        (void)TAKE_PTR(node);
        return 0;
}

int graph_add(Graph *g, const char *kind, const char *name, Node **ret)
{
        _cleanup_(record_freep) Record *record = NULL;
        int r;

        record = record_new(kind, name);
        if (!record)
                return -ENOMEM;
        r = graph_add_record(g, record, ret);
        if (r < 0)
                return r;
        (void)TAKE_PTR(record);
        return 0;
}

static bool node_stands_on(const Node *upper, const Node *lower)
{
        for (size_t i = 0; i < upper->n_lower; i++)
                if (upper->lower[i] == lower)
                        return true;
        return false;
}

int graph_link(Node *upper, Node *lower)
{
        int r;

        if (lower->graph != upper->graph || lower == upper)
                return -EINVAL;
        if (node_stands_on(upper, lower))
                return 0;
        r = node_append(&upper->lower, &upper->n_lower, lower);
        if (r < 0)
                return r;
        r = node_append(&lower->upper, &lower->n_upper, upper);
        if (r < 0)
                upper->n_lower--; /* never half a link */
        return r;
}

Node *graph_find(const Graph *g, const char *kind, const char *name)
{
        if (g->n_buckets == 0)
                return NULL;
        for (Node *n = *bucket_of(g, kind, name); n; n = n->same_hash)
                if (streq(node_name(n), name) && node_is(n, kind))
                        return n;
        return NULL;
}

typedef struct Sort {
        unsigned max_depth;
        Node **order;
        size_t n;
        const Node *culprit;
} Sort;

/* After what it stands on. Recursion goes no deeper than a stack may be. */
static int place(Sort *s, Node *n, unsigned left)
{
        unsigned depth = 0;
        int r;

        if (n->depth > 0)
                return 0;
        s->culprit = n;
        if (n->visited)
                return -ELOOP;
        if (left == 0)
                return -E2BIG;
        n->visited = true;
        for (size_t i = 0; i < n->n_lower; i++) {
                r = place(s, n->lower[i], left - 1);
                if (r < 0)
                        return r;
                depth = n->lower[i]->depth > depth ? n->lower[i]->depth : depth;
        }
        s->culprit = n;
        if (depth >= s->max_depth)
                return -E2BIG;
        n->depth = depth + 1;
        s->order[s->n++] = n;
        return 0;
}

int graph_sort(Graph *g, unsigned max_depth, const Node **ret_node)
{
        Sort s = { .max_depth = max_depth, .order = calloc(g->n_nodes + 1, sizeof(Node *)) };
        int r = s.order ? 0 : -ENOMEM;

        for (size_t i = 0; i < g->n_nodes; i++) {
                g->nodes[i]->depth = 0;
                g->nodes[i]->visited = false;
        }
        /* One more level, so that a cycle as long as the limit is still told as one. */
        for (size_t i = 0; i < g->n_nodes && r == 0; i++)
                r = place(&s, g->nodes[i], max_depth + 1);
        if (r < 0 && ret_node)
                *ret_node = s.culprit;
        /* memcpy(3) wants pointers also where there is nothing to copy. */
        if (r == 0 && g->n_nodes > 0)
                memcpy(g->nodes, s.order, g->n_nodes * sizeof(Node *));
        free(s.order);
        return r;
}

bool node_has(const Node *n, const char *key, const char *value)
{
        const char *v = node_get(n, key);

        return v && streq(v, value);
}

int node_set(Node *n, const char *key, const char *value)
{
        return streq(key, "on") ? -EINVAL : record_set(n->record, key, value);
}

int node_setf(Node *n, const char *key, const char *fmt, ...)
{
        _cleanup_(freep) char *value = NULL;
        va_list ap;
        int k;

        va_start(ap, fmt);
        k = vasprintf(&value, fmt, ap);
        va_end(ap);
        if (k < 0) {
                value = NULL; /* vasprintf(3) leaves it undefined */
                return -ENOMEM;
        }
        return node_set(n, key, value);
}

uint64_t node_get_u64(const Node *n, const char *key)
{
        uint64_t v;

        return record_get_u64(n->record, key, &v) < 0 ? 0 : v;
}

void graph_mark_above(Node *start)
{
        Node *todo = start;

        start->next = NULL;
        start->marked = true;
        while (todo) {
                Node *n = todo;

                todo = n->next;
                for (size_t i = 0; i < n->n_upper; i++) {
                        if (n->upper[i]->marked)
                                continue;
                        n->upper[i]->marked = true;
                        n->upper[i]->next = todo;
                        todo = n->upper[i];
                }
        }
}

void graph_unmark(Graph *g)
{
        for (size_t i = 0; i < g->n_nodes; i++)
                g->nodes[i]->marked = false;
}

typedef bool (*NodeTest)(const Node *n, const char *key, const char *value);

static const Node *find_below(const Node *n, NodeTest test, const char *key, const char *value)
{
        uint64_t walk = ++n->graph->walk;
        Node *first = NULL, **end = &first;

        /* First in, first out: nodes come in the order of their distance. */
        for (const Node *at = n; at; at = at == n ? first : at->next) {
                if (test(at, key, value))
                        return at;
                for (size_t i = 0; i < at->n_lower; i++) {
                        Node *lower = at->lower[i];

                        if (lower->walk == walk || lower == n)
                                continue;
                        lower->walk = walk;
                        lower->next = NULL;
                        *end = lower;
                        end = &lower->next;
                }
        }
        return NULL;
}

static bool is_of_kind(const Node *n, const char *kind, const char *unused)
{
        return node_is(n, kind);
}

const Node *node_below(const Node *n, const char *kind)
{
        return find_below(n, is_of_kind, kind, NULL);
}

const Node *node_below_with(const Node *n, const char *key, const char *value)
{
        return find_below(n, node_has, key, value);
}

static char *reference_print(char *out, const char *word)
{
        static const char digits[] = "0123456789ABCDEF";

        for (; *word; word++) {
                unsigned char c = (unsigned char)*word;

                if (strchr(REFERENCE_CHARACTERS, c)) {
                        *out++ = (char)c;
                        continue;
                }
                *out++ = '%';
                *out++ = digits[c >> 4];
                *out++ = digits[c & 15];
        }
        return out;
}

/* The value of on=. */
static char *links_print(const Node *n)
{
        size_t bound = 1;
        char *s, *out;

        for (size_t i = 0; i < n->n_lower; i++)
                bound += 3 * (strlen(node_kind(n->lower[i])) + strlen(node_name(n->lower[i]))) + 2;
        s = malloc(bound);
        if (!s)
                return NULL;
        out = s;
        for (size_t i = 0; i < n->n_lower; i++) {
                if (i > 0)
                        *out++ = ',';
                out = reference_print(out, node_kind(n->lower[i]));
                *out++ = ':';
                out = reference_print(out, node_name(n->lower[i]));
        }
        *out = '\0';
        return s;
}

static char *node_print(const Node *n)
{
        _cleanup_(record_freep) Record *record = NULL;
        _cleanup_(freep) char *on = NULL;

        record = record_new(node_kind(n), node_name(n));
        if (!record)
                return NULL;
        if (n->n_lower > 0) {
                on = links_print(n);
                if (!on || record_set(record, "on", on) < 0)
                        return NULL;
        }
        for (size_t i = 0; i < n->record->n_fields; i++)
                if (record_set(record, n->record->fields[i].key, n->record->fields[i].value) < 0)
                        return NULL;
        return record_print(record);
}

int graph_print(const Graph *g, char **ret)
{
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        size_t size;
        int failed = 0;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < g->n_nodes; i++) {
                _cleanup_(freep) char *line = node_print(g->nodes[i]);

                if (!line)
                        return -ENOMEM;
                failed |= fprintf(f, "%s\n", line) < 0;
        }
        failed |= memstream_close(TAKE_PTR(f), &text) < 0;
        if (failed)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

static int capital_hex(char c)
{
        const char *digits = "0123456789ABCDEF", *found = c ? strchr(digits, c) : NULL;

        return found ? (int)(found - digits) : -1;
}

/* Undoes reference_print() in place. -EBADMSG for anything it would not have written. */
static int reference_parse(char *word)
{
        char *out = word;

        for (; *word; word++, out++) {
                int high, low;

                *out = *word;
                if (strchr(REFERENCE_CHARACTERS, *word))
                        continue;
                high = *word == '%' ? capital_hex(word[1]) : -1;
                low = high >= 0 ? capital_hex(word[2]) : -1;
                if (low < 0 || strchr(REFERENCE_CHARACTERS, high << 4 | low))
                        return -EBADMSG;
                *out = (char)(high << 4 | low);
                word += 2;
        }
        *out = '\0';
        return 0;
}

/* Links node to what one "kind:name" names; reference is cut up on the way. */
static int reference_link(Node *node, char *reference)
{
        char *name = strchr(reference, ':');
        Node *lower;
        int r;

        if (!name)
                return -EBADMSG;
        *name++ = '\0';
        r = reference_parse(reference);
        if (r < 0)
                return r;
        r = reference_parse(name);
        if (r < 0)
                return r;
        lower = graph_find(node->graph, reference, name);
        return lower && lower != node ? graph_link(node, lower) : -ENOENT;
}

static int links_parse(Node *node, const char *on)
{
        _cleanup_(freep) char *copy = NULL;
        char *rest, *reference;
        int r;

        copy = strdup(on);
        if (!copy)
                return -ENOMEM;
        rest = copy;
        while ((reference = strsep(&rest, ","))) {
                r = reference_link(node, reference);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int node_parse(Graph *g, const char *line)
{
        _cleanup_(record_freep) Record *record = NULL;
        const char *on;
        Node *node;
        int r;

        r = record_parse(line, &record);
        if (r < 0)
                return r;
        if (!record->name)
                return -EBADMSG;
        r = graph_add_record(g, record, &node);
        if (r < 0)
                return r;
        (void)TAKE_PTR(record);
        on = node_get(node, "on");
        if (!on)
                return 0;
        r = links_parse(node, on);
        if (r < 0)
                return r;
        return record_set(node->record, "on", NULL);
}

int graph_parse(const char *text, Graph **ret, unsigned *ret_line)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        int r;

        *ret_line = 0;
        g = graph_new();
        if (!g)
                return -ENOMEM;
        while (*text) {
                size_t n = strcspn(text, "\n");
                _cleanup_(freep) char *line = strndup(text, n);

                (*ret_line)++;
                if (!line)
                        return -ENOMEM;
                text += n + (text[n] == '\n');
                if (!*line || *line == '#')
                        continue;
                r = node_parse(g, line);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(g);
        return 0;
}
