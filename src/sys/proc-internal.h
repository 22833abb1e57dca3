/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shared by the files of sys/proc*.c. Everything about one process is read relative to its /proc
 * directory, opened once: after its death the directory answers ESRCH, even if the pid is reused.
 */

#include "sys/proc-pool.h"
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

/* A mount of an asked filesystem whose files may show other device numbers than the filesystem. */
typedef struct ProcMount {
        uint64_t id;
        ProcHit *hit;
} ProcMount;

typedef struct ProcScan {
        ProcHit *devs; /* by st_dev */
        size_t n_devs;
        ProcHit *nodes; /* by st_rdev, behind devs in one array */
        size_t n_nodes;
        ProcMount *mounts;
        size_t n_mounts;
        bool any;       /* some hit is set */
        bool query;     /* the kernel has PROCMAP_QUERY */
        bool net_known; /* this process' network namespace has been asked for its sockets */
        char *buf;      /* PROC_SCAN_BUFFER bytes, for whoever reads at the moment */
        struct ProcFiles *files;
        struct ProcSockets *sockets;
        ProcPool *pool;
} ProcScan;

#define PROC_SCAN_BUFFER ((size_t)256 * 1024)

/* proc_find_holders() with what only tests choose. */
typedef struct ProcAsk {
        const dev_t *devs;
        size_t n_devs;
        const dev_t *nodes;
        size_t n_nodes;
        uint64_t deadline_usec;
        const pid_t *pids; /* NULL: all processes */
        size_t n_pids;
        bool text;        /* maps even where PROCMAP_QUERY works */
        unsigned workers; /* 0: one per processor */
} ProcAsk;

int proc_ask(const ProcAsk *ask, ProcList *l) _must_check_;

/* In a worker: looks at one process and emits what it holds. */
int proc_scan_process(ProcScan *s, int proc_fd, pid_t pid) _must_check_;
int proc_scan_record(ProcScan *s, int process_fd, pid_t pid) _must_check_;

/* NULL when nobody asked for that device. */
ProcHit *proc_scan_dev(const ProcScan *s, dev_t dev);
ProcHit *proc_scan_node(const ProcScan *s, dev_t rdev);
/* The first example is kept. */
void proc_scan_hit(ProcScan *s, ProcHit *hit, unsigned use, const char *example);
/* What a process says that is exiting or does not let us look: not an error of the scan. */
static inline bool proc_is_gone_or_refused(int r)
{
        return r == -ENOENT || r == -ESRCH || r == -EACCES || r == -EPERM || r == -EINVAL;
}

/* A descriptor that is this socket: is it bound on an asked filesystem? */
int proc_scan_socket(ProcScan *s, int process_fd, dev_t dev, uint64_t inode) _must_check_;

/* Mappings of one process or thread directory: two engines with the same answer. */
int proc_scan_maps(ProcScan *s, int dir_fd) _must_check_;
int proc_scan_query(ProcScan *s, int dir_fd) _must_check_;
/* Has the kernel PROCMAP_QUERY? */
bool proc_query_works(void);

/* One file mapping. */
typedef struct ProcMapping {
        dev_t dev;
        uint64_t inode;
        uint64_t start, end;
        const char *path; /* NULL: ask proc_query_path() */
        int maps_fd;      /* for that */
} ProcMapping;

/* What either engine found. */
int proc_scan_mapping(ProcScan *s, int dir_fd, const ProcMapping *m) _must_check_;
/* "" when it is gone. In buf, of PROC_SCAN_BUFFER bytes. */
const char *proc_query_path(const ProcMapping *m, char *buf);
/* One line of /proc/PID/maps; false for a line that is none. path points into it. */
bool proc_mapping_parse(const char *line, ProcMapping *ret) _must_check_;

/* Device number of the filesystem that a magic link of /proc leads to, found without asking that
 * filesystem: for one that has been shut down and answers every stat with EIO. process_fd is where
 * mountinfo is read. -ENODATA when it does not show the mount. */
int proc_link_dev(int process_fd, int dir_fd, const char *name, dev_t *ret) _must_check_;
