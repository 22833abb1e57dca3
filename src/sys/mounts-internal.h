/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between mounts.c, which talks to libmount, mounts-scan.c and mounts-orphans.c, which find the
 * namespaces with and without processes, and mounts-umount.c, mounts-ask.c, mounts-place.c and
 * mounts-overlay.c, which enter them. */

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

/* What a reader of somebody else's namespace has written down: text of mountinfo. */
int mounts_read_text(FILE *f, ino_t ns, pid_t ns_pid, MountList *l) _must_check_;
int mounts_copy_text(int from_fd, int to_fd) _must_check_;

/* A mount namespace and the process to read it by. */
typedef struct NsSeen {
        ino_t ns;
        pid_t pid;  /* 0: there was none when it was to be read */
        bool whole; /* its root is the namespace's root */
} NsSeen;

typedef struct NsList {
        NsSeen *items; /* sorted by ns */
        size_t n;
} NsList;

/* NULL when no process was found in it. */
NsSeen *ns_list_find(const NsList *l, ino_t ns);

/* A number that no other namespace will have until the machine is restarted; 0: not known, before
 * 6.12. */
uint64_t mounts_ns_id(int ns_fd);

typedef int (*PidFn)(void *arg, int proc_fd, const char *name, pid_t pid);
/* Calls fn for each process in ascending order until it does not return 0. */
int mounts_each_pid(PidFn fn, void *arg) _must_check_;

/* Everything that processes lead to. */
int mounts_read_inhabited(NsList *known, MountList *l) _must_check_;
/* Appends the mounts of the namespaces without a process that known lacks; l has what those of
 * known show. */
int mounts_read_orphans(const NsList *known, MountList *l) _must_check_;
/* Only in a child: may go through other namespaces, and comes back. -ESRCH: it does not exist. */
int mounts_orphan_open(ino_t ns) _must_check_;

/* Opens the namespace through pid if that one still lives in it, else through any other process
 * that does. -ESRCH. */
int mounts_inhabited_open(pid_t pid, ino_t ns) _must_check_;
/* The same, else as what a descriptor or a bind mount keeps. Only in a child, as above. -ESRCH: it
 * does not exist any more. */
int mounts_ns_open(pid_t pid, ino_t ns) _must_check_;

/* The mount that a path lookup of this mount point ends on: what is stacked on top or hides it
 * further up wins. NULL when the lookup ends on no mount point. */
const Mount *mount_list_resolve(const MountList *l, const char *path);

/* Mounts an overlay of these options of mountinfo at dir. -EOPNOTSUPP: see mounts_can_place(). */
int mounts_stage_overlay(const char *source, const char *fs_options, const char *dir) _must_check_;
/* 0 or -EOPNOTSUPP: would the line above give back the same? */
int mounts_overlay_check(const char *fs_options) _must_check_;

/* mount(2) by libmount, without helpers, utab, fstab and a silent retry read-only. claim_fd, which
 * may be none, is closed in the instant before. */
int mounts_stage(const char *source, const char *fstype, const char *options, const char *dir,
        int *claim_fd) _must_check_;

/* The namespace where the place lies. Only in a child. -ESRCH: it does not exist any more. */
int mounts_place_ns_open(const MountPlace *place) _must_check_;
/* setns(2) to there. -ESRCH: that namespace does not exist any more. */
int mounts_enter(const MountPlace *place) _must_check_;
/* In that namespace: 0 when target is what the caller means, -ENOENT when nothing is mounted there,
 * -ESTALE when something else is. */
int mounts_check_place(int self_fd, const MountPlace *place) _must_check_;
bool mount_is_meant(const Mount *m, const MountPlace *place);
bool mount_place_is_root(const MountPlace *place);

/* EBUSY may be a dying process; asked again this long, this often. */
#define BUSY_RETRY_USEC (10 * USEC_PER_MSEC)
#define BUSY_PAUSE_USEC USEC_PER_MSEC

/* Component-wise; a path is below itself. */
bool mount_path_is_below(const char *path, const char *dir);
