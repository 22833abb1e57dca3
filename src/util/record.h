/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line of text with a fixed shape: a verb, perhaps a name, then key=value pairs.
 *
 *     step unmount rung=1 target="/mnt/with blank" id=42
 *
 * Topology nodes, plan steps, ledger records and what a worker tells its parent are all Records,
 * so one parser reads them all and one fuzzer attacks it. Words that hold anything but plain
 * printable characters are written in double quotes with C escapes; the printed form has exactly
 * one line, whatever a path or a process name contains. Order of the keys is kept. */

#include <stdint.h>

#include "util/cleanup.h"

typedef struct RecordField {
        char *key;
        char *value;
} RecordField;

typedef struct Record {
        char *verb;
        char *name; /* NULL when the line has none */
        RecordField *fields;
        size_t n_fields;
} Record;

/* name may be NULL. NULL when memory is out. */
Record *record_new(const char *verb, const char *name);
Record *record_free(Record *r);
DEFINE_CLEANUP(Record *, record_free);
Record *record_copy(const Record *r);

/* Sets or replaces; a NULL value removes the key. Keys are [a-z0-9_-]+. -ENOMEM, -EINVAL. */
int record_set(Record *r, const char *key, const char *value) _must_check_;
int record_setf(Record *r, const char *key, const char *fmt, ...) _printf_(3, 4) _must_check_;

/* NULL when the key is not there. */
const char *record_get(const Record *r, const char *key);
/* -ENOENT when not there, -EINVAL or -ERANGE when not a number. */
int record_get_u64(const Record *r, const char *key, uint64_t *ret) _must_check_;

/* Longest line that is written or read: beyond it record_print() gives NULL, as when memory is out,
 * and record_parse() -EBADMSG. */
#define RECORD_LINE_MAX 65536

/* One line without newline. */
char *record_print(const Record *r);
/* -EBADMSG for anything record_print() would not have written. */
int record_parse(const char *line, Record **ret) _must_check_;
