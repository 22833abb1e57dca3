/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/child.h"

/* Who may still open files of a filesystem; everybody else gets EPERM. Processes of the caller's
 * own session always may. */
typedef struct Guest {
        pid_t pid;
        uint64_t start; /* as proc_start_time() says */
} Guest;

/* Starts a process that answers for every open(2) on the filesystem mounted at target. It ends with
 * its parent or by child_done(), and then everybody may again. -ESTALE: another device is mounted
 * there. -EOPNOTSUPP, -ENOSYS or -EINVAL: not with this kernel. */
int doorkeeper_start(const char *target, dev_t dev, const Guest *guests, size_t n_guests,
        Child *ret) _must_check_;

/* Does this kernel mark itself as tainted as soon as somebody is asked for a permission to open?
 * Debian's do (debian/patches/debian/fanotify-taint-on-use-of-fanotify_access_permissions.patch,
 * 6.1 and 6.12). */
bool doorkeeper_taints(void);
