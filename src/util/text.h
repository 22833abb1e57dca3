/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text in and out, strictly: a malformed number is an error, never a guess. A device id that
 * half parses must not turn into "any device". */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/cleanup.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_INFINITY UINT64_MAX

/* Decimal digits only, the whole string. -EINVAL, -ERANGE. */
int parse_u64(const char *s, uint64_t *ret) _must_check_;
int parse_pid(const char *s, pid_t *ret) _must_check_;
/* "-2", "10" */
int parse_int(const char *s, int *ret) _must_check_;
/* The number and its blanks behind a label: "\nSwapFree:". -ENODATA: the label is not there. */
int number_after(const char *text, const char *label, uint64_t *ret) _must_check_;

/* "MAJ:MIN" as sysfs and mountinfo print it. -EINVAL. */
int parse_devnum(const char *s, dev_t *ret) _must_check_;
/* Room for "MAJ:MIN" and its NUL. */
#define DEVNUM_MAX 24
const char *format_devnum(char buf[static DEVNUM_MAX], dev_t dev);

/* systemd's booleans: 1 yes true on t y, 0 no false off f n. -EINVAL. */
int parse_boolean(const char *s) _must_check_;

/* systemd's time spans: "10s", "1min 30s", "250ms", "infinity", a bare number is seconds. */
int parse_timespan(const char *s, uint64_t *ret_usec) _must_check_;
#define TIMESPAN_MAX 64
const char *format_timespan(char buf[static TIMESPAN_MAX], uint64_t usec);

/* "SIGTERM", "TERM" or "15". -EINVAL. */
int parse_signal(const char *s, int *ret) _must_check_;
const char *signal_name(int sig);

/* A NULL-terminated array of strings, owned by the caller. */
char **strv_free(char **l);
DEFINE_CLEANUP(char **, strv_free);
int strv_append(char ***l, const char *s) _must_check_;
size_t strv_length(char *const *l);
bool strv_contains(char *const *l, const char *s);
/* Splits at white space; -ENOMEM. */
int strv_split(const char *s, char ***ret) _must_check_;
/* The words with a blank between them; "" for none. -ENOMEM. */
int strv_join(char *const *l, char **ret) _must_check_;
/* "a, b": is the item in it, and not only as part of another? The empty one always is. */
bool list_contains(const char *list, const char *item);
/* Does any shell glob of the list match? An empty or NULL list matches nothing. */
bool strv_fnmatch(char *const *globs, const char *s);

/* A fresh formatted string, or NULL when memory is out. */
char *string_printf(const char *fmt, ...) _printf_(1, 2);
/* Replaces *s by a copy of v (NULL allowed). -ENOMEM. */
int free_and_strdup(char **s, const char *v) _must_check_;
/* The value of the index-th "key=value" in a comma separated list of mount options; a comma behind
 * a backslash belongs to the value. -ENOENT, -ENOMEM. */
int option_get(const char *options, const char *key, size_t index, char **ret) _must_check_;
/* \040 becomes a blank, in place: how the kernel writes paths into /proc. */
void unescape_octal(char *s);
/* The whole file, NUL-terminated; at most max bytes, -EFBIG beyond. */
int read_full_file(const char *path, size_t max, char **ret, size_t *ret_size) _must_check_;

uint64_t now_usec(void);          /* CLOCK_MONOTONIC */
uint64_t now_boottime_usec(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps */
void pause_usec(uint64_t usec);   /* a signal may end it early */
uint64_t now_realtime_usec(void); /* CLOCK_REALTIME */
/* a + b without wrapping; USEC_INFINITY stays. */
uint64_t usec_add(uint64_t a, uint64_t b);
/* Milliseconds for poll(2) until the deadline, -1 for none, rounded up so that no early wake spins.
 */
int poll_timeout_ms(uint64_t deadline_usec);
