/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sys/proc-hints.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/proc-fdinfo.h"
#include "sys/proc-internal.h"

typedef struct HintScan {
        const dev_t *devs;
        size_t n_devs;
        ProcPool *pool;
        int process_fd;
        pid_t pid;
        unsigned told; /* rows of the table */
} HintScan;

static bool is_asked(const HintScan *s, dev_t dev)
{
        for (size_t i = 0; i < s->n_devs; i++)
                if (s->devs[i] == dev)
                        return true;
        return false;
}

/* Only a path that certainly leads elsewhere speaks for the process: what was unlinked, or is
 * mounted in another namespace, may be anywhere, and so may a file of which the kernel tells the
 * last name only (io_uring/fdinfo.c of 6.1 and 6.12). */
static bool is_elsewhere(const HintScan *s, const char *path)
{
        const int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
        struct statx stx;

        return *path == '/' && statx(AT_FDCWD, path, flags, STATX_TYPE, &stx) == 0 &&
               !is_asked(s, makedev(stx.stx_dev_major, stx.stx_dev_minor));
}

/* A registered file stays open in the ring when its descriptor is closed. The list may be left out
 * (the kernel only tries to take the ring's lock), and then nothing speaks for it. */
static bool has_ring_files(const HintScan *s, const char *text)
{
        _cleanup_(freep) char *copy = strdup(text);
        char *rest = copy;
        const char *path;
        bool any = false;

        if (fdinfo_number(text, "UserFiles:") == 0)
                return false;
        while (rest && (path = fdinfo_uring_file(&rest))) {
                if (!is_elsewhere(s, path))
                        return true;
                any = true;
        }
        return !any;
}

/* Descriptors that were sent and not received yet. The kernel tells how many, not which. */
static bool has_flying_files(const HintScan *s, const char *text)
{
        return fdinfo_number(text, "scm_fds:") > 0;
}

/* An event that nobody has read yet holds the file it is about. */
static bool has_watched(const HintScan *s, const char *text)
{
        for (size_t i = 0; i < s->n_devs; i++)
                if (fdinfo_fanotify_has(text, s->devs[i]))
                        return true;
        return false;
}

static const struct {
        const char *name; /* of the link, as far as it goes */
        bool (*may_hold)(const HintScan *s, const char *text);
        const char *what;
} table[] = {
        { "anon_inode:[io_uring]", has_ring_files, "io_uring files of" },
        { "socket:[", has_flying_files, "descriptors on the way to" },
        { "anon_inode:[fanotify]", has_watched, "unread fanotify events of" },
};

static size_t row_of(const char *name)
{
        size_t i = 0;

        while (i < ELEMENTSOF(table) && strncmp(name, table[i].name, strlen(table[i].name)) != 0)
                i++;
        return i;
}

static bool is_wanted(const char *name, void *arg)
{
        const HintScan *s = arg;
        size_t row = row_of(name);

        return row < ELEMENTSOF(table) && !(s->told & (1U << row));
}

static int look_at_info(const char *name, const char *text, void *arg)
{
        HintScan *s = arg;
        size_t row = row_of(name);
        ProcStat stat;
        ProcHint h;

        if (!table[row].may_hold(s, text) || proc_stat_read(s->process_fd, &stat) < 0)
                return 0;
        s->told |= 1U << row;
        memset(&h, 0, sizeof(h));
        h.pid = s->pid;
        memcpy(h.comm, stat.comm, sizeof(h.comm));
        (void)snprintf(h.what, sizeof(h.what), "%s", table[row].what);
        return proc_pool_emit(s->pool, &h);
}

static int look_at_process(ProcPool *p, int proc_fd, pid_t pid, void *arg)
{
        _cleanup_(closep) int process_fd = -EBADF;
        HintScan *s = arg;
        char name[16];
        int r;

        (void)snprintf(name, sizeof(name), "%d", pid);
        process_fd = openat(proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (process_fd < 0)
                return 0;
        s->pool = p;
        s->process_fd = process_fd;
        s->pid = pid;
        s->told = 0;
        r = fdinfo_for_each(process_fd, is_wanted, look_at_info, s);
        return proc_is_gone_or_refused(r) ? 0 : r;
}

void proc_hint_list_done(ProcHintList *l)
{
        free(l->items);
        *l = (ProcHintList){ 0 };
}

int proc_find_hints(const dev_t *devs, size_t n_devs, uint64_t deadline_usec, ProcHintList *l)
{
        HintScan s = { .devs = devs, .n_devs = n_devs };
        ProcPool pool = {
                .fn = look_at_process,
                .arg = &s,
                .record_size = sizeof(ProcHint),
                .deadline_usec = deadline_usec,
        };
        void *records;
        size_t n;
        int r;

        r = proc_pool_run(&pool, &records, &n);
        if (r >= 0)
                *l = (ProcHintList){ records, n };
        return r;
}
