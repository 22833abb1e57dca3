/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between mounts.c, which talks to libmount, mounts-scan.c, which finds the namespaces, and
 * mounts-umount.c and mounts-place.c, which enter them. */

#include "sys/child.h"
#include "sys/mounts.h"

/* Appends what this /proc/PID directory shows. Works after setns(2) into a namespace without a
 * /proc of its own, because the directory was opened before. */
int mounts_read_dir(int proc_dir_fd, ino_t ns, pid_t ns_pid, MountList *l) _must_check_;

/* Inode of the mount namespace of the process behind a /proc/PID directory. -ESRCH. */
int mounts_ns_of_dir(int proc_dir_fd, ino_t *ret) _must_check_;

/* Appends the mounts of the namespace of pid, which must be want unless that is 0. -ESRCH: the
 * process is gone or lives elsewhere by now. */
int mounts_read_process(pid_t pid, ino_t want, MountList *l) _must_check_;

/* Opens the namespace through pid if that one still lives in it, else through any other process
 * that does. -ESRCH: nobody lives in it any more. */
int mounts_ns_open(pid_t pid, ino_t ns) _must_check_;

/* The mount that a path lookup of this mount point ends on: what is stacked on top or hides it
 * further up wins. NULL when the lookup ends on no mount point. */
const Mount *mount_list_resolve(const MountList *l, const char *path);

/* mount(2) by libmount, without helpers, utab, fstab and a silent retry read-only. */
int mounts_stage(
        const char *source, const char *fstype, const char *options, const char *dir) _must_check_;

/* Component-wise; a path is below itself. */
bool mount_path_is_below(const char *path, const char *dir);
