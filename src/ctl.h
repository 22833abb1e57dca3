/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of pmemremovectl share. The client asks and shows; it decides nothing about
 * memory. Functions named verb_* and whatever they return as "status" give the exit status of the
 * program, and whoever finds a status other than 0 has told the person why by ctl_fail() or
 * ctl_refuse(); everything else returns a negative errno. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "util/graph.h"
#include "util/json.h"
#include "util/text.h"

#define EXIT_USAGE 2
#define EXIT_NOT_FOUND 3
#define EXIT_NO_DAEMON 69
#define EXIT_NOT_AUTHORISED 77
/* The person left with Ctrl-C while the removal goes on: what a shell reports for SIGINT. */
#define EXIT_DETACHED 130

/* A scan of all processes of a big machine stands behind these calls, a person whom polkit asks (2
 * minutes), and perhaps a second scan. */
#define PLAN_TIMEOUT_USEC (250 * USEC_PER_SEC)

typedef enum JsonMode {
        JSON_OFF,
        JSON_SHORT,
        JSON_PRETTY,
        _JSON_MODE_MAX,
} JsonMode;

typedef struct Ctl {
        const char *host;
        JsonMode json;
        bool no_pager;
        bool no_legend;
        bool no_ask_password;
        bool no_block;
        bool dry_run;
        bool hold;
        bool bind;
        bool ignore_inhibitors;
        bool yes;
        bool quiet;
        const char *reason;
        const char *transaction_id;
        const char *mode;
        const char *target, *who, *why; /* of an inhibitor */
        const char *plan_id;
        uint64_t timeout_usec;         /* 0: not given */
        uint64_t confirm_timeout_usec; /* 0: not given */
        char **overrides;

        uint64_t id; /* of the removal, for verbs about one */
        sd_bus *bus;
        bool json_done;   /* the one document is on stdout */
        char *error_name; /* last failure, for that document */
        char *error_sentence;
        pid_t pager_pid;
} Ctl;

/* --- ctl-value.c: what came over the bus, by name --- */

/* One basic value, a struct, or an array of either: rows of cells, all kept as text. */
typedef struct Value {
        char *key;       /* in kebab-case, whatever it is called on the bus */
        char *signature; /* as it came */
        char *columns;   /* basic type of each column */
        char **cells;
        size_t n_cells;
        Graph *graph; /* aa{ss}: nodes that stand on each other */
} Value;

typedef struct Dict {
        Value *values;
        size_t n_values;
        bool raw; /* text as it came (for JSON); else harmless for a terminal */
} Dict;

Dict *dict_new(const Ctl *c);
Dict *dict_free(Dict *d);
DEFINE_CLEANUP(Dict *, dict_free);
/* Reads an a{sv}; keys that are there already are replaced. */
int dict_read(Dict *d, sd_bus_message *m) _must_check_;
/* Reads one value of that signature under key. */
int dict_read_value(
        Dict *d, const char *key, sd_bus_message *m, const char *signature) _must_check_;

int dict_put_string(Dict *d, const char *key, const char *s) _must_check_;

const Value *dict_get(const Dict *d, const char *key);
const char *dict_string(const Dict *d, const char *key);
uint64_t dict_u64(const Dict *d, const char *key);
bool dict_true(const Dict *d, const char *key);
size_t value_rows(const Value *v);
/* "" past the end. */
const char *value_cell(const Value *v, size_t row, size_t column);

/* Columns of the structs in the API. */
enum { BLOCKER_ERROR, BLOCKER_NODE, BLOCKER_SENTENCE };
enum { KILL_PID, KILL_COMMAND, KILL_UNIT, KILL_WHY };
enum { AWAITED_PID, AWAITED_COMMAND, AWAITED_UNIT, AWAITED_USES };
enum { STEP_NUMBER, STEP_RUNG, STEP_NAME, STEP_NODE, STEP_STATE };
enum { ROAD_NAME, ROAD_WHY };
enum { ERROR_NAME, ERROR_SENTENCE };
enum { REMOVAL_ID, REMOVAL_PATH, REMOVAL_TARGET, REMOVAL_STATE, REMOVAL_RESULT };

/* --- ctl-document.c: replies as JSON --- */

void json_value(Json *j, const Value *v);
/* All members of d, without brackets. */
void json_dict(Json *j, const Dict *d);
/* {"error": {...}} as a member of the open object: the last failure, if any. */
void json_failure(Json *j, const Ctl *c);

typedef struct Document {
        Json json;
        char *text;
        size_t size;
} Document;

int document_open(Document *d) _must_check_;
/* Prints it and frees it. */
int document_close(Document *d, Ctl *c);

/* --- ctl-bus.c: calls and their failures --- */

int ctl_open(Ctl *c) _must_check_;
/* The same, but says what is wrong. Status. */
int ctl_connect(Ctl *c) _must_check_;
void ctl_disconnect(Ctl *c);
/* A message to the daemon; path NULL is the root. NULL interface: the manager's. */
int bus_message_new(Ctl *c, const char *path, const char *interface, const char *member,
        sd_bus_message **ret) _must_check_;
/* Sends and waits. about names the thing in messages. Status. */
int bus_call(Ctl *c, const char *about, sd_bus_message *m, uint64_t timeout_usec,
        sd_bus_message **ret) _must_check_;
/* All properties of an object into d. Status. */
int bus_get_all(
        Ctl *c, const char *about, const char *path, const char *interface, Dict *d) _must_check_;

/* Says "about: sentence" on stderr with what to do next, remembers it for the JSON document and
 * returns the exit status of the error, or of r when e is not set. */
int ctl_fail(Ctl *c, const char *about, const sd_bus_error *e, int r);
/* The same for what the client finds itself. name: D-Bus error name or NULL. */
int ctl_refuse(Ctl *c, int status, const char *name, const char *fmt, ...) _printf_(4, 5);
/* Exit status that belongs to a D-Bus error name. */
int error_status(const char *name);

/* Remembers a copy for later display; without memory for it nothing is remembered. */
static inline void text_keep(char **s, const char *v)
{
        free(*s);
        *s = v ? strdup(v) : NULL;
}

/* --- ctl-terminal.c: people in front of it --- */

/* A copy in which control characters are written as \OOO (libsmartcols would escape \xHH a second
 * time); keep: characters that stay. */
char *text_escape(const char *s, const char *keep);
bool terminal_is_live(void); /* stdout can be redrawn in place */
unsigned terminal_lines(void);
bool terminal_is_utf8(void);
const char *format_size(char buf[static 32], const char *bytes);
const char *format_seconds(char buf[static 32], uint64_t usec);
/* y/N on stderr and stdin; 1 yes, 0 no, -ENOTTY when there is nobody to ask. */
int terminal_ask(const char *question);
void pager_open(Ctl *c);
void pager_close(Ctl *c);

/* --- ctl-table.c: the only user of libsmartcols --- */

typedef struct Table Table;
typedef struct TableLine TableLine;

typedef enum ColumnFlags {
        COLUMN_RIGHT = 1 << 0,
        COLUMN_TREE = 1 << 1,
        COLUMN_NUMBER = 1 << 2, /* in JSON */
        COLUMN_WRAP = 1 << 3,
} ColumnFlags;

typedef struct Column {
        const char *name;
        unsigned flags;
} Column;

/* name: member of the JSON document. */
Table *table_new(const Ctl *c, const char *name, const Column *columns, size_t n_columns);
Table *table_free(Table *t);
DEFINE_CLEANUP(Table *, table_free);
/* cells: n_columns texts, NULL for empty; parent NULL for the top level. NULL when memory is out.
 */
TableLine *table_add(Table *t, TableLine *parent, const char *const *cells);
/* Prints rows on stdout, or the whole table as JSON. */
int table_print(Table *t, Ctl *c) _must_check_;

/* --- ctl-node.c: a node in words --- */

char *node_title(const Node *n);
/* full: also what is not there ("rmapbt=no"). */
int node_detail(const Node *n, bool full, char **ret) _must_check_;

/* --- ctl-devices.c: what there is --- */

/* Every device object of the daemon and all that stands on them, as one graph. Status; when it is
 * not 0 and there is a graph all the same, that one is incomplete. */
int devices_graph(Ctl *c, Graph **ret) _must_check_;
/* One Dict per device with "path" and the properties. Status. */
int devices_load(Ctl *c, Dict ***ret, size_t *ret_n) _must_check_;
void devices_free(Dict **devices, size_t n);

/* --- ctl-plan.c: what would happen --- */

/* Appends the a{sv} options of a request. plan_id may be NULL, mode NULL is the one given. */
int request_append_options(
        const Ctl *c, sd_bus_message *m, const char *mode, const char *plan_id) _must_check_;
/* Status; 0 also for a refusal, which is an answer, and, with *ret left alone, when the target is
 * removed already, which has been said. */
int plan_load(Ctl *c, const char *target, const char *mode, Dict **ret) _must_check_;
bool plan_is_ok(const Dict *plan);
/* Exit status of a refusal: that of its first blocker. */
int plan_status(const Dict *plan);
int plan_print(Ctl *c, const char *target, const Dict *plan) _must_check_;
int plan_print_kills(Ctl *c, const Dict *plan) _must_check_;
void print_blockers(FILE *out, const Value *blockers, const char *indent, size_t max);

/* --- ctl-awaited.c --- */

void print_awaited(FILE *out, const Dict *removal, const char *indent);
/* All of it in one line, with the time that is left; "" when nobody is waited for. */
const char *awaited_message(const Dict *removal);
void plan_json(Json *j, const char *target, const Dict *plan);

/* --- ctl-removal.c: one removal and how it ended --- */

int removal_path(uint64_t id, char **ret) _must_check_;
int removal_path_to_id(const char *path, uint64_t *ret) _must_check_;
bool removal_is_over(const Dict *removal);
int removal_status(const Dict *removal);
/* Says what happened, in a few lines. Status. */
/* From the request to the end, 0: not known. Not for how long somebody waited for it. */
uint64_t removal_took_usec(const Dict *removal);
/* took_usec 0: not known. */
int removal_report(Ctl *c, const Dict *removal, uint64_t took_usec);
/* Reads ListRemovals into d as "removals". Status. */
int removals_load(Ctl *c, Dict *d) _must_check_;
int removals_print(Ctl *c, const Value *removals) _must_check_;

/* --- ctl-progress.c: the step list while it runs --- */

typedef struct Progress Progress;

Progress *progress_new(const Ctl *c);
Progress *progress_free(Progress *p);
DEFINE_CLEANUP(Progress *, progress_free);
void progress_update(Progress *p, const Dict *removal);
/* One line about the client itself. */
void progress_say(Progress *p, const char *fmt, ...) _printf_(2, 3);
/* Takes the drawing away, for others who have something to say. */
void progress_erase(Progress *p);
bool progress_is_live(const Progress *p);

/* --- ctl-watch.c: following one removal to its end --- */

typedef struct Watch {
        Ctl *c;
        char *about;   /* target or "removal 7", for messages */
        char *path;    /* NULL until the daemon has answered */
        bool ours;     /* we asked for it, so Ctrl-C takes it back */
        bool answered; /* RequestRemove has an answer */
        bool stale;    /* properties have to be fetched */
        bool known;    /* the daemon has shown it to us */
        unsigned interrupts;
        bool detached;
        uint64_t begin_usec;
        uint64_t lost_usec; /* deadline for the daemon to come back; 0: it is there */
        int status;         /* once it cannot go on */
        Dict *removal;
        Progress *progress;
        sd_bus_slot *slots[3];
        int signal_fd;
} Watch;

int watch_begin(Watch *w, Ctl *c, const char *about) _must_check_;
void watch_end(Watch *w);
/* RequestRemove; afterwards w->path is set or the status is not 0. */
int watch_request(Watch *w, const char *target, const char *plan_id) _must_check_;
/* Until the end of the removal, of the daemon, or of the person's patience. */
int watch_follow(Watch *w) _must_check_;

/* --- verbs; argv[0] is the verb --- */

int verb_list(Ctl *c, int argc, char **argv);
int verb_status(Ctl *c, int argc, char **argv);
int verb_plan(Ctl *c, int argc, char **argv);
int verb_remove(Ctl *c, int argc, char **argv);
int verb_cancel(Ctl *c, int argc, char **argv);
int verb_confirm(Ctl *c, int argc, char **argv);
int verb_wait(Ctl *c, int argc, char **argv);
int verb_inhibit(Ctl *c, int argc, char **argv);
int verb_inhibitors(Ctl *c, int argc, char **argv);
int verb_removals(Ctl *c, int argc, char **argv);
int verb_monitor(Ctl *c, int argc, char **argv);
int verb_check_config(Ctl *c, int argc, char **argv);
