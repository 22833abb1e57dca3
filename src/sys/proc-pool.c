/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workers take the processes one by one from a counter that they share: the sizes differ by a
 * factor of a thousand, and with portions of equal number one would end long after the other. */

#include "sys/proc-pool.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "sys/child.h"

/* Below this a second worker costs more to fork than it saves. */
#define PROCESSES_PER_WORKER 32
#define STUCK_USEC USEC_PER_SEC
#define GATHER_INITIAL 16

typedef struct At {
        _Atomic pid_t pid; /* 0: has ended */
        _Atomic uint64_t since_usec;
} At;

typedef struct Shared {
        _Atomic size_t next;
        At at[PROC_POOL_WORKERS_MAX];
} Shared;

typedef struct Work {
        ProcPool *pool;
        Shared *shared;
        pid_t *pids;
        size_t n_pids;
        int pipe[2];
        unsigned number; /* in a worker: which one */
        Child children[PROC_POOL_WORKERS_MAX];
        unsigned n_children;
} Work;

static void work_done(Work *r)
{
        for (unsigned i = 0; i < r->n_children; i++)
                child_done(r->children + i);
        if (r->shared)
                (void)munmap(r->shared, sizeof(*r->shared));
        free(r->pids);
        (void)safe_close(r->pipe[0]);
        (void)safe_close(r->pipe[1]);
}

/* --- in a worker --- */

int proc_pool_emit(ProcPool *p, const void *record)
{
        ssize_t n;

        /* Up to PIPE_BUF it is written in one piece (pipe(7)), so workers may share the pipe. */
        do
                n = write(p->result_fd, record, p->record_size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        return (size_t)n == p->record_size ? 0 : -EIO;
}

/* Nothing of the caller's may stay open in one that sleeps in the kernel: neither the lock of a
 * ledger nor the claim of a disk. */
static void keep_only(int fd)
{
        if (fd > STDERR_FILENO + 1)
                (void)close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
        (void)close_range((unsigned)MAX_OF(fd, STDERR_FILENO) + 1, ~0U, 0);
}

static int look_at_processes(Work *work, int proc_fd)
{
        At *at = work->shared->at + work->number;
        ProcPool *p = work->pool;
        uint64_t now;
        size_t i;
        int r = 0;

        while (r >= 0 && (i = atomic_fetch_add(&work->shared->next, 1)) < work->n_pids) {
                now = now_usec();
                if (now >= p->deadline_usec)
                        return -ETIMEDOUT;
                atomic_store(&at->since_usec, now);
                atomic_store(&at->pid, work->pids[i]);
                r = p->fn(p, proc_fd, work->pids[i], p->arg);
        }
        atomic_store(&at->pid, 0);
        return r;
}

static int worker_main(void *arg)
{
        Work *work = arg;
        int proc_fd;

        keep_only(work->pipe[1]);
        work->pool->result_fd = work->pipe[1];
        proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (proc_fd < 0)
                return -errno;
        return look_at_processes(work, proc_fd);
}

/* --- in the caller --- */

static int append_pid(Work *work, size_t *size, pid_t pid)
{
        pid_t *grown;

        if (work->n_pids == *size) {
                *size = *size > 0 ? 2 * *size : 1024;
                grown = reallocarray(work->pids, *size, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                work->pids = grown;
        }
        work->pids[work->n_pids++] = pid;
        return 0;
}

static int copy_pids(Work *work)
{
        size_t size = 0;
        int r = 0;

        for (size_t i = 0; i < work->pool->n_pids && r == 0; i++)
                r = append_pid(work, &size, work->pool->pids[i]);
        return r;
}

/* Before the first worker exists, so that none of them is looked at. */
static int list_pids(Work *work)
{
        _cleanup_(closedirp) DIR *dir = opendir("/proc");
        size_t size = 0;
        pid_t pid;
        int r = 0;

        if (!dir)
                return -errno;
        while (r == 0) {
                const struct dirent *de;

                errno = 0;
                de = readdir(dir);
                if (!de)
                        return -errno;
                if (parse_pid(de->d_name, &pid) == 0)
                        r = append_pid(work, &size, pid);
        }
        return r;
}

/* Those we may run on. Whether they are idle is not asked: a second worker on a busy processor
 * gains nothing and harms nobody (performance-facts 3), and the answer would be old at once. */
static unsigned count_workers(const Work *work)
{
        unsigned n = work->pool->workers;
        cpu_set_t set;

        if (n == 0)
                n = sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : (unsigned)CPU_COUNT(&set);
        n = MIN_OF(n, (unsigned)PROC_POOL_WORKERS_MAX);
        return work->pool->workers > 0
                       ? n
                       : (unsigned)MIN_OF((size_t)n, work->n_pids / PROCESSES_PER_WORKER + 1);
}

static int prepare(Work *work)
{
        void *shared;
        int r;

        r = work->pool->pids ? copy_pids(work) : list_pids(work);
        if (r < 0)
                return r;
        shared = mmap(
                NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
                return -errno;
        work->shared = shared;
        return pipe2(work->pipe, O_CLOEXEC) < 0 ? -errno : 0;
}

/* One is enough; the others only make it faster. */
static int start_workers(Work *work)
{
        unsigned n = count_workers(work);
        int r = 0;

        while (work->n_children < n && r >= 0) {
                work->number = work->n_children;
                work->children[work->number] = (Child)CHILD_INIT;
                r = child_start(work->children + work->number, true, worker_main, work);
                if (r >= 0)
                        work->n_children++;
        }
        work->pipe[1] = safe_close(work->pipe[1]);
        return work->n_children > 0 ? 0 : r;
}

static int grow(void **buf, size_t *size, size_t used, size_t record_size)
{
        void *grown;

        if (*size - used >= record_size)
                return 0;
        *size = *size > 0 ? 2 * *size : GATHER_INITIAL * record_size;
        grown = realloc(*buf, *size);
        if (!grown)
                return -ENOMEM;
        *buf = grown;
        return 0;
}

/* 1 when there is something to read or all writers are gone. */
static int wait_readable(const Work *work)
{
        struct pollfd p = { .fd = work->pipe[0], .events = POLLIN };
        int n;

        for (;;) {
                n = poll(&p, 1, poll_timeout_ms(work->pool->deadline_usec));
                if (n > 0)
                        return 1;
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (now_usec() >= work->pool->deadline_usec)
                        return -ETIMEDOUT;
        }
}

static int gather(Work *work, void **buf, size_t *ret_n)
{
        const size_t record_size = work->pool->record_size;
        size_t size = 0, used = 0;
        ssize_t n;
        int r;

        for (;;) {
                r = wait_readable(work);
                if (r >= 0)
                        r = grow(buf, &size, used, record_size);
                if (r < 0)
                        return r;
                n = read(work->pipe[0], (char *)*buf + used, size - used);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        break;
                used += n > 0 ? (size_t)n : 0;
        }
        *ret_n = used / record_size;
        return used % record_size == 0 ? 0 : -EBADMSG;
}

static int wait_workers(Work *work)
{
        int r = 0, e;

        for (unsigned i = 0; i < work->n_children; i++) {
                e = child_wait(work->children + i, work->pool->deadline_usec, -1);
                if (e < 0 && r == 0)
                        r = e;
        }
        return r;
}

static pid_t find_stuck(const Work *work)
{
        uint64_t now = now_usec();

        for (unsigned i = 0; i < work->n_children; i++) {
                At *at = work->shared->at + i;
                pid_t pid = atomic_load(&at->pid);

                if (pid > 0 && now - atomic_load(&at->since_usec) >= STUCK_USEC)
                        return pid;
        }
        return 0;
}

int proc_pool_run(ProcPool *p, void **ret, size_t *ret_n)
{
        _cleanup_(work_done) Work work = { .pool = p, .pipe = { -EBADF, -EBADF } };
        _cleanup_(freep) void *records = NULL;
        int r;

        p->stuck = 0;
        if (p->record_size > PIPE_BUF)
                return -EINVAL;
        r = prepare(&work);
        if (r >= 0)
                r = start_workers(&work);
        if (r >= 0)
                r = gather(&work, &records, ret_n);
        if (r >= 0)
                r = wait_workers(&work);
        if (r == -ETIMEDOUT)
                p->stuck = find_stuck(&work);
        if (r < 0)
                return r;
        *ret = *ret_n > 0 ? TAKE_PTR(records) : NULL;
        return 0;
}
