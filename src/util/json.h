/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A JSON writer of the smallest kind: the caller nests, the writer escapes. key is NULL in an
 * array. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Json {
        FILE *out;
        bool comma; /* a member came before on this level */
} Json;

void json_open(Json *j, const char *key, char bracket);
void json_close(Json *j, char bracket);
void json_string(Json *j, const char *key, const char *value);
/* Text that is JSON already: numbers, booleans. */
void json_raw(Json *j, const char *key, const char *text);
void json_u64(Json *j, const char *key, uint64_t value);
/* The same document without blanks, or indented, with a newline at its end. */
void json_reformat(FILE *out, const char *text, bool pretty);
