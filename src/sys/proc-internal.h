/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shared by the files of sys/proc*.c. Everything about one process is read relative to its /proc
 * directory, opened once: after its death the directory answers ESRCH, even if the pid is reused.
 */

#include "sys/proc.h"

/* PF_KTHREAD of include/linux/sched.h as field 9 of stat shows it. */
#define PROC_FLAG_KTHREAD 0x00200000U

typedef struct ProcStat {
        char comm[16];
        char state;
        unsigned flags;
        uint64_t start;
} ProcStat;

/* -ESRCH */
int proc_dir_open(pid_t pid) _must_check_;
int proc_stat_read(int dir_fd, ProcStat *ret) _must_check_;
/* Changes text. -EBADMSG. */
int proc_stat_parse(char *text, ProcStat *ret) _must_check_;

/* What the process that is being looked at does to one of the asked devices. */
typedef struct ProcHit {
        dev_t dev;
        unsigned uses;
        char example[256];
} ProcHit;

typedef struct ProcScan {
        ProcHit *devs; /* by st_dev */
        size_t n_devs;
        ProcHit *nodes; /* by st_rdev */
        size_t n_nodes;
        bool any; /* some hit is set */
        uint64_t deadline_usec;
        char *buf; /* PROC_SCAN_BUFFER bytes, for whoever reads at the moment */
        struct ProcFiles *files;
        ProcList *list;
} ProcScan;

#define PROC_SCAN_BUFFER ((size_t)256 * 1024)

/* NULL when nobody asked for that device. */
ProcHit *proc_scan_dev(ProcScan *s, dev_t dev);
ProcHit *proc_scan_node(ProcScan *s, dev_t rdev);
/* The first example is kept. */
void proc_scan_hit(ProcScan *s, ProcHit *hit, unsigned use, const char *example);
static inline bool proc_scan_late(const ProcScan *s)
{
        return now_usec() >= s->deadline_usec;
}
/* What a process says that is exiting or does not let us look: not an error of the scan. */
static inline bool proc_is_gone_or_refused(int r)
{
        return r == -ENOENT || r == -ESRCH || r == -EACCES || r == -EPERM || r == -EINVAL;
}

/* Mappings of one process or thread directory. */
int proc_scan_maps(ProcScan *s, int dir_fd) _must_check_;
struct ProcFiles *proc_files_free(struct ProcFiles *f);

/* One line of /proc/PID/maps. */
typedef struct ProcMapping {
        dev_t dev;
        uint64_t inode;
        char range[40]; /* "START-END", the name below map_files */
        const char *path;
} ProcMapping;

/* False for a line that is none. path points into it. */
bool proc_mapping_parse(const char *line, ProcMapping *ret) _must_check_;

/* Device number of the filesystem that a magic link of /proc leads to, found without asking that
 * filesystem: for one that has been shut down and answers every stat with EIO. process_fd is where
 * mountinfo is read. -ENODATA when it does not show the mount. */
int proc_link_dev(int process_fd, int dir_fd, const char *name, dev_t *ret) _must_check_;
