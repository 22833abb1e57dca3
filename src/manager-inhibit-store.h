/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How inhibitors outlive the daemon: systemd keeps the descriptor of each (FDSTORE=1 of
 * sd_notify(3)) under a name, and what it stands for lies in a file of that number. */

#include "inhibitor.h"

/* FDNAME= of an inhibitor. */
#define INHIBIT_FDNAME_MAX 40
const char *inhibit_fdname(uint64_t id, char buf[static INHIBIT_FDNAME_MAX]);

/* The file first: a descriptor without one forbids everything. */
int inhibit_store_put(const char *dir, const Inhibitor *i, int fd) _must_check_;
/* The descriptor first, for the same reason. */
void inhibit_store_drop(const char *dir, uint64_t id, const char *fdname);

typedef struct Restored {
        int fd;
        char *fdname;
        Inhibitor *inhibitor;
} Restored;

/* What is left of an earlier daemon. A descriptor without a readable file is "unknown"; a file
 * without a descriptor is removed, for whoever held it has let go. The caller frees the array and
 * owns what is in it. */
int inhibit_store_get(const char *dir, Restored **ret, size_t *ret_n) _must_check_;
