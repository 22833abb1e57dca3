/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a worker that does not answer is doing. Nothing can be done about a process that sleeps
 * uninterruptibly, but an operator who sees "freeze_super < percpu_down_write" knows to look for a
 * stuck writer. Only stat, stack and children of our own processes are read: none of them takes the
 * mmap lock, so none can hang on what it asks about (performance-facts: cmdline and maps can). */

#include "worker-blocked.h"

#include "sys/proc-fdinfo.h"
#include "sys/proc.h"
#include "sys/sysfs.h"
#include "util/text.h"

/* Worker, its child in the kernel, and what that one may have forked. */
#define DEPTH_MAX 3

static bool blocked_one(pid_t pid, char *buf, size_t size)
{
        char comm[32] = "?", frames[384] = "";
        int state = proc_state(pid);

        /* Stopped by a person or a debugger: a signal ends that. */
        if (state == 'T' || state == 't') {
                (void)snprintf(buf, size, "process %d is stopped", pid);
                return true;
        }
        if (state != 'D')
                return false;
        if (proc_comm(pid, comm, sizeof(comm)) < 0 ||
                proc_kernel_stack(pid, frames, sizeof(frames)) < 0)
                frames[0] = '\0';
        (void)snprintf(buf, size, "process %d (%s) sleeps in the kernel%s%s", pid, comm,
                *frames ? ": " : "", frames);
        return true;
}

static bool blocked_below(pid_t pid, unsigned depth, char *buf, size_t size)
{
        _cleanup_(freep) char *path = string_printf("/proc/%d/task/%d/children", pid, pid);
        _cleanup_(freep) char *text = NULL;
        _cleanup_(strv_freep) char **pids = NULL;

        if (blocked_one(pid, buf, size))
                return true;
        if (depth == 0 || !path || read_full_file(path, 4096, &text, NULL) < 0 ||
                strv_split(text, &pids) < 0)
                return false;
        for (char **p = pids; p && *p; p++) {
                pid_t child;

                if (parse_pid(*p, &child) == 0 && blocked_below(child, depth - 1, buf, size))
                        return true;
        }
        return false;
}

/* What a descriptor leads to. */
typedef struct Identity {
        uint64_t mount, inode;
} Identity;

/* Its fdinfo tells what the kernel knows by itself; whoever asks for more may have to ask a server
 * that is dead (nfs_getattr(), fs/nfs/inode.c; fuse_update_get_attr(), fs/fuse/dir.c). Not the
 * name: what was made unnamed, as a ledger is, keeps "#INODE (deleted)" in the one who made it. */
static bool identify(const char *pid, int fd, Identity *ret)
{
        _cleanup_(freep) char *text = NULL;
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%s/fdinfo/%d", pid, fd);
        if (read_full_file(path, 4096, &text, NULL) < 0)
                return false;
        ret->mount = fdinfo_number(text, "mnt_id:");
        ret->inode = fdinfo_number(text, "ino:");
        return ret->inode != 0;
}

/* Its children keep the ledger under the number under which the worker had it. */
static bool has_open(const char *pid, int fd, const Identity *id)
{
        Identity other;

        return identify(pid, fd, &other) && other.mount == id->mount && other.inode == id->inode;
}

bool worker_blocked_holder(int fd, char *buf, size_t size)
{
        _cleanup_(strv_freep) char **names = NULL;
        Identity id;

        if (!identify("self", fd, &id) || sysfs_list("/proc", &names) < 0)
                return false;
        for (char **n = names; n && *n; n++) {
                pid_t pid;

                if (parse_pid(*n, &pid) == 0 && has_open(*n, fd, &id) &&
                        blocked_one(pid, buf, size))
                        return true;
        }
        return false;
}

bool worker_blocked_text(pid_t pid, char *buf, size_t size)
{
        return blocked_below(pid, DEPTH_MAX, buf, size);
}
