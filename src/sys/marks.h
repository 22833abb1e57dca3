/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/cleanup.h"

/* One mark of a fanotify group, as its owner's fdinfo shows it. */
typedef struct FanotifyMark {
        pid_t pid;
        dev_t dev;         /* 0: a mark on a mount */
        uint64_t mount_id; /* 0: a mark on a filesystem or a file of it */
} FanotifyMark;

typedef int (*FanotifyFn)(const FanotifyMark *mark, void *arg);

/* Calls fn for each mark of root's processes: marks on whole mounts and filesystems need privilege.
 * A negative result of fn ends the walk and is passed on; -ETIMEDOUT. */
int fanotify_find(uint64_t deadline_usec, FanotifyFn fn, void *arg) _must_check_;
/* One line of fdinfo; false: it is none of a mark. */
bool fanotify_parse(const char *line, FanotifyMark *mark);
