/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names the processes that use the asked filesystems and device nodes. It only names: whether
 * anybody is left at all is for umount and the exclusive open to answer, so a process that may not
 * be looked into is passed over. */

#include <fcntl.h>
#include <sys/sysmacros.h>

#include "sys/mounts.h"
#include "sys/proc-internal.h"

void proc_list_done(ProcList *l)
{
        free(l->items);
        *l = (ProcList){ 0 };
}

static int record_hit(ProcScan *s, const ProcHit *hit, pid_t pid, const ProcStat *stat)
{
        /* Goes through a pipe, so no padding may be left as it was. */
        ProcHolder h;

        memset(&h, 0, sizeof(h));
        h.pid = pid;
        h.start = stat->start;
        h.uses = hit->uses;
        h.dev = hit->dev;
        h.kernel_thread = stat->flags & PROC_FLAG_KTHREAD;
        memcpy(h.comm, stat->comm, sizeof(stat->comm));
        memcpy(h.example, hit->example, sizeof(hit->example));
        return proc_pool_emit(s->pool, &h);
}

int proc_scan_record(ProcScan *s, int process_fd, pid_t pid)
{
        ProcStat stat;
        int r;

        r = proc_stat_read(process_fd, &stat);
        for (size_t i = 0; i < s->n_devs + s->n_nodes; i++) {
                if (r >= 0 && s->devs[i].uses != 0)
                        r = record_hit(s, s->devs + i, pid, &stat);
                s->devs[i].uses = 0;
        }
        s->any = false;
        return r;
}

static int scan_process(ProcPool *p, int proc_fd, pid_t pid, void *arg)
{
        ProcScan *s = arg;

        s->pool = p;
        return proc_scan_process(s, proc_fd, pid);
}

/* So that the same machine gives the same list: plans are compared by their digest. */
static int by_pid(const void *a, const void *b)
{
        const ProcHolder *x = a, *y = b;

        if (x->pid != y->pid)
                return x->pid < y->pid ? -1 : 1;
        return (x->dev > y->dev) - (x->dev < y->dev);
}

static void sort_by_pid(ProcList *l)
{
        if (l->n > 1)
                qsort(l->items, l->n, sizeof(*l->items), by_pid);
}

static bool is_anonymous(dev_t dev)
{
        return major(dev) == 0;
}

/* Only filesystems without a block device of their own have files with other numbers. */
static bool wants_mounts(const ProcScan *s)
{
        for (size_t i = 0; i < s->n_devs; i++)
                if (is_anonymous(s->devs[i].dev))
                        return true;
        return false;
}

static int add_mount(ProcScan *s, const Mount *m)
{
        ProcHit *hit = is_anonymous(m->dev) ? proc_scan_dev(s, m->dev) : NULL;
        ProcMount *grown;

        if (!hit)
                return 0;
        grown = reallocarray(s->mounts, s->n_mounts + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        s->mounts = grown;
        s->mounts[s->n_mounts++] = (ProcMount){ m->id, hit };
        return 0;
}

/* Mount ids are unique in the whole machine. A namespace that cannot be read is no error here:
 * whoever asks for these filesystems found them by their mounts and failed over it already. */
static int find_mounts(ProcScan *s)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        int r = 0;

        if (!wants_mounts(s) || mounts_read_all(&l) < 0)
                return 0;
        for (size_t i = 0; i < l.n && r == 0; i++)
                r = add_mount(s, l.items + i);
        return r;
}

static void scan_done(ProcScan *s)
{
        free(s->devs);
        free(s->mounts);
        free(s->buf);
}

static int scan_prepare(ProcScan *s, const ProcAsk *ask)
{
        s->devs = calloc(ask->n_devs + ask->n_nodes + 1, sizeof(*s->devs));
        s->buf = malloc(PROC_SCAN_BUFFER);
        if (!s->devs || !s->buf)
                return -ENOMEM;
        s->n_devs = ask->n_devs;
        s->nodes = s->devs + ask->n_devs;
        s->n_nodes = ask->n_nodes;
        for (size_t i = 0; i < ask->n_devs; i++)
                s->devs[i].dev = ask->devs[i];
        for (size_t i = 0; i < ask->n_nodes; i++)
                s->nodes[i].dev = ask->nodes[i];
        s->query = !ask->text && proc_query_works();
        return find_mounts(s);
}

int proc_ask(const ProcAsk *ask, ProcList *l)
{
        _cleanup_(scan_done) ProcScan s = { 0 };
        ProcPool pool = {
                .fn = scan_process,
                .arg = &s,
                .record_size = sizeof(ProcHolder),
                .workers = ask->workers,
                .pids = ask->pids,
                .n_pids = ask->n_pids,
                .deadline_usec = ask->deadline_usec,
        };
        ProcList found = { 0 };
        void *records;
        int r;

        r = scan_prepare(&s, ask);
        if (r < 0)
                return r;
        r = proc_pool_run(&pool, &records, &found.n);
        l->stuck = pool.stuck;
        if (r < 0)
                return r;
        found.items = records;
        sort_by_pid(&found);
        *l = found;
        return 0;
}

int proc_find_holders(const dev_t *devs, size_t n_devs, const dev_t *nodes, size_t n_nodes,
        uint64_t deadline_usec, ProcList *l)
{
        ProcAsk ask = { devs, n_devs, nodes, n_nodes, deadline_usec, NULL, 0, false, 0 };

        return proc_ask(&ask, l);
}

int proc_check_holders(const pid_t *pids, size_t n_pids, const dev_t *devs, size_t n_devs,
        const dev_t *nodes, size_t n_nodes, uint64_t deadline_usec, ProcList *l)
{
        ProcAsk ask = { devs, n_devs, nodes, n_nodes, deadline_usec, pids, n_pids, false, 0 };

        return proc_ask(&ask, l);
}
