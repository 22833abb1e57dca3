/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Structured records when stderr is the journal, plain text on a
 * terminal or in a test. One layer logs: only manager, removal, recover and main above debug. */

#include <syslog.h>

#include "util/cleanup.h"

/* Highest syslog level that is written; LogControl1 changes it at run time. */
void log_set_max_level(int level);
int log_get_max_level(void);
/* "auto" (journal if stderr is the journal, else stderr), "journal", "console", "null". -EINVAL. */
int log_set_target(const char *target) _must_check_;
const char *log_get_target(void);
int log_level_from_string(const char *s) _must_check_;
const char *log_level_to_string(int level);

void log_message(int level, const char *fmt, ...) _printf_(2, 3);
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_message(LOG_ERR, __VA_ARGS__)

/* One structured record. message_id: 32 hex digits of messages.h or NULL. fields: NULL-terminated
 * list of "KEY=value" strings, or NULL; no more than LOG_FIELDS_MAX of them are written. On a
 * console only the text is shown. */
#define LOG_FIELDS_MAX 48
void log_event(int level, const char *message_id, char *const *fields, const char *fmt, ...)
        _printf_(4, 5);
