/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For tests that send a run through steps of their own: plans out of words, ledgers in a folder
 * that goes with the test, lives that may end early. Each test has a policy_find_step(), which
 * takes the place of the pipeline's registry. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "run.h"
#include "util/text.h"

/* Memory, as /run is: thousands of synced writes to a disk would take minutes. */
static char dir[] = "/dev/shm/pmemremoved-test-XXXXXX";

static inline const StepOps *find_among(const StepOps *const all[], size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (streq(all[i]->name, name))
                        return all[i];
        return NULL;
}

static inline Plan *start_plan(void)
{
        Plan *p = plan_new();

        assert_non_null(p);
        p->target = record_new("target", "namespace0.0");
        assert_non_null(p->target);
        return p;
}

/* Pairs of key and value up to a NULL key. */
static inline __attribute__((sentinel)) void add_step(
        Plan *p, const char *op, unsigned rung, const char *node, ...)
{
        Record *args = record_new("step", node);
        const char *key;
        va_list ap;

        assert_int_equal(record_set(args, "op", op), 0);
        if (rung > 0)
                assert_int_equal(record_setf(args, "rung", "%u", rung), 0);
        va_start(ap, node);
        while ((key = va_arg(ap, const char *)))
                assert_int_equal(record_set(args, key, va_arg(ap, const char *)), 0);
        va_end(ap);
        assert_int_equal(plan_add_step(p, policy_find_step(op), rung, args), 0);
        while (p->n_roads < rung)
                assert_int_equal(plan_add_road(p, record_new("road", "graceful")), 0);
}

/* Locked. Takes plan and request over; req NULL: of nothing but a target. */
static inline Ledger *create_ledger(const char *where, Request *req, Plan *plan)
{
        _cleanup_(request_freep) Request *mine = req ? req : request_new();
        _cleanup_(plan_freep) Plan *p = plan;
        Ledger *l;

        if (!mine->target)
                assert_int_equal(free_and_strdup(&mine->target, "namespace0.0"), 0);
        assert_int_equal(plan_seal(p), 0);
        assert_int_equal(ledger_create(where, mine, p, &l), 0);
        return l;
}

static inline Ledger *reload(const Ledger *l)
{
        Ledger *again;

        assert_int_equal(ledger_load(l->path, policy_find_step, &again), 0);
        return again;
}

/* As its last word says, "" when there is none. */
static inline const char *last_word(const Ledger *l, const char *key)
{
        static char buf[32];
        _cleanup_(ledger_freep) Ledger *now = reload(l);
        const Record *last = ledger_last(now, "finished");

        (void)snprintf(buf, sizeof(buf), "%s", last ? strempty(record_get(last, key)) : "");
        return buf;
}

static inline const char *result_of(const Ledger *l)
{
        return last_word(l, "result");
}

static inline const char *state_of(const Ledger *l)
{
        return last_word(l, "state");
}

/* In a process of its own, which begins with before() and locks for itself. 0: it was done, 1: it
 * failed, -1: it died. */
static inline int live_once(const Ledger *l, bool recovery, void (*before)(void))
{
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                Ledger *mine = NULL;
                Failure f = { 0 };
                int r = ledger_load(l->path, policy_find_step, &mine);

                if (before)
                        before();
                if (r == 0)
                        r = ledger_lock(mine, true);
                if (r < 0)
                        _exit(99);
                r = recovery ? run_recover(mine, -EBADF, &f) : run_plan(mine, -EBADF, &f);
                _exit(r < 0 ? 1 : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 99);
        return WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
}

/* Outlives every process. */
static inline void *share(size_t size)
{
        void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        assert_true(p != MAP_FAILED);
        return p;
}

static inline void empty_dir(void)
{
        _cleanup_(closedirp) DIR *d = opendir(dir);

        for (struct dirent *e; d && (e = readdir(d));)
                (void)unlinkat(dirfd(d), e->d_name, 0);
}

static inline int remove_dir(void **state)
{
        empty_dir();
        return rmdir(dir);
}
