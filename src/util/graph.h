/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directed graph of named Records: who stands on whom. It knows nothing about memory; topology.c
 * fills it, policy.c reads it, and its text form is what a test case or a bug report contains:
 *
 *     filesystem pmem0 on=block:pmem0 type=xfs rmapbt=yes
 *
 * A node stands on its lower nodes and carries its upper ones. While it is being filled a graph may
 * be in any order; graph_sort() puts lower nodes before what stands on them and refuses a cycle, so
 * a printed graph can be read top to bottom. A parsed one is in that order from the start.
 *
 * on= is a list kind:name,kind:name in the order of the links; in both words every byte that is not
 * one of A-Z a-z 0-9 _ . / @ + - is written as %HH (two capital hex digits), so a name may hold
 * commas, colons and blanks. "on" is therefore no attribute: node_set() refuses it. */

#include <stdbool.h>
#include <stdint.h>

#include "util/record.h"

typedef struct Graph Graph;
typedef struct Node Node;

struct Node {
        Record *record; /* verb is the kind, name is unique within the kind */
        Node **lower;
        size_t n_lower;
        Node **upper;
        size_t n_upper;
        bool marked; /* scratch: the closure that was computed last */
        /* private to graph.c */
        Graph *graph;
        Node *same_hash;
        Node *next;     /* of a walk that is under way */
        uint64_t walk;  /* number of the last walk that came by */
        unsigned depth; /* of the last sort: layers up to this one; 0: not placed yet */
        bool visited;
};

struct Graph {
        Node **nodes;
        size_t n_nodes;
        /* private to graph.c */
        uint64_t walk;
        Node **buckets;
        size_t n_buckets;
};

Graph *graph_new(void);
Graph *graph_free(Graph *g);
DEFINE_CLEANUP(Graph *, graph_free);

/* -EEXIST when kind and name are taken. The node belongs to the graph. */
int graph_add(Graph *g, const char *kind, const char *name, Node **ret) _must_check_;
/* upper stands on lower; twice is once. -EINVAL for a node on itself or of another graph. -ENOMEM.
 */
int graph_link(Node *upper, Node *lower) _must_check_;
/* Lower nodes first, else as they were added. -ELOOP for a cycle, -E2BIG for more than max_depth
 * layers; *ret_node (may be NULL) is a node of it, and the order is as before. */
int graph_sort(Graph *g, unsigned max_depth, const Node **ret_node) _must_check_;
Node *graph_find(const Graph *g, const char *kind, const char *name);

static inline const char *node_kind(const Node *n)
{
        return n->record->verb;
}

static inline const char *node_name(const Node *n)
{
        return n->record->name;
}

static inline const char *node_get(const Node *n, const char *key)
{
        return record_get(n->record, key);
}

static inline bool node_is(const Node *n, const char *kind)
{
        return streq(n->record->verb, kind);
}

/* True when the attribute is there and equals value. */
bool node_has(const Node *n, const char *key, const char *value);
int node_set(Node *n, const char *key, const char *value) _must_check_;
int node_setf(Node *n, const char *key, const char *fmt, ...) _printf_(3, 4) _must_check_;
/* 0 when the attribute is missing or no number. */
uint64_t node_get_u64(const Node *n, const char *key);

/* Marks start and everything above it; other marks are kept, graph_unmark() clears all. */
void graph_mark_above(Node *start);
void graph_unmark(Graph *g);
/* The nearest node of that kind at or below n, NULL when there is none. */
const Node *node_below(const Node *n, const char *kind);
/* The same for an attribute. */
const Node *node_below_with(const Node *n, const char *key, const char *value);

/* One line per node. -ENOMEM, also for a node whose line is longer than a record may be. */
int graph_print(const Graph *g, char **ret) _must_check_;
/* Empty lines and lines that start with '#' are ignored. -EBADMSG for a bad line, -ENOENT for on= a
 * node that did not come before, -EEXIST. *ret_line is the number of the bad line (from 1). */
int graph_parse(const char *text, Graph **ret, unsigned *ret_line) _must_check_;
