/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that this program wrote for itself and obeys: nobody else can have written them, or they
 * are refused. Opening never waits, whatever lies there. */

/* A folder of ours that nobody else can change. A descriptor, or -errno. */
int own_folder_open(const char *path) __attribute__((warn_unused_result));
/* flags: O_RDONLY, O_RDWR, O_CREAT, O_APPEND, ... dir_fd may be AT_FDCWD. */
int own_file_open(int dir_fd, const char *path, int flags) __attribute__((warn_unused_result));
/* The same for what is open. */
int own_file_check(int fd) __attribute__((warn_unused_result));
/* "it is ...", for what these refused, and for other errors. */
const char *own_file_cause(int err);
