/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Room for any path with a few quotes in it. */
#define SHELL_WORD_MAX 4200

/* What a person may paste behind a command to mean s: itself where the shell takes it as it is, in
 * quotes otherwise, so that blanks do not make two words of it and nobody's file name runs a
 * command. What has no room is cut, and ends in "...". */
const char *shell_word(const char *s, char *buf, size_t size);
/* The same for each of the names with white space between them. */
const char *shell_words(const char *s, char *buf, size_t size);
