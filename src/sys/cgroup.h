/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a process belongs, as its cgroup tells: slice, container, and whether it is frozen. */

#include <sys/types.h>

#include "util/text.h"

typedef struct Cgroup {
        char slice[128];     /* "system.slice", empty: none */
        char container[128]; /* "docker:3f4e5a6b7c8d", empty: none known */
        bool frozen;         /* dies of SIGKILL, and of nothing else before it is thawed */
} Cgroup;

/* -ESRCH. */
int cgroup_of_pid(pid_t pid, Cgroup *ret) _must_check_;

/* From the path of a cgroup alone. */
void cgroup_parse(const char *path, Cgroup *ret);
