/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Cuts what another program writes into lines that are fit to be shown (util/utf8.h), in bounded
 * memory whatever it writes and however it comes in pieces. */

#include <stddef.h>

/* Longer lines are cut. */
#define LINES_LENGTH_MAX 512

typedef struct Lines {
        void (*line)(const char *text, void *userdata); /* NULL: nobody wants to know */
        void *userdata;
        char text[LINES_LENGTH_MAX];
        size_t used;
} Lines;

void lines_take(Lines *l, const char *data, size_t n);
/* What came last, if it has no newline. */
void lines_end(Lines *l);
