/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that several directories have in common, with systemd's precedence: a name in a later
 * directory replaces the same name of an earlier one, and all are sorted by their names. */

#include <stdbool.h>

#include "util/cleanup.h"

/* Adds dir's files that pass the filter to the NULL-terminated *paths, each name once. A directory
 * that does not exist is empty. */
int dropins_read_dir(char ***paths, const char *dir, bool (*filter)(const char *name)) _must_check_;
void dropins_sort(char **paths);
/* The last part of a path. */
const char *dropin_name(const char *path);
