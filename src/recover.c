/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recovery without a bus: what ExecStopPost= runs when the daemon is gone for good, and the list of
 * what a starting daemon has to finish. */

#include "recover.h"

#include "run.h"
#include "util/log.h"
#include "util/text.h"

#define LOCK_RETRY_USEC (100 * USEC_PER_MSEC)

static int load(const char *dir, uint64_t id, Ledger **ret, Failure *f)
{
        _cleanup_(freep) char *path = NULL;
        int r;

        r = ledger_path(dir, id, &path);
        if (r == 0)
                r = ledger_load(path, policy_find_step, ret);
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, path,
                        "this ledger cannot be read (%s) and is not obeyed; look at it and at the "
                        "devices it names, then remove it",
                        strerror(-r));
        return 0;
}

int recover_list(const char *dir, uint64_t **ret, size_t *ret_n, Failure *f)
{
        _cleanup_(freep) uint64_t *ids = NULL;
        size_t n = 0, kept = 0;
        int r;

        r = ledger_list(dir, &ids, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                _cleanup_(ledger_freep) Ledger *l = NULL;

                if (load(dir, ids[i], &l, f) == 0 && !ledger_finished(l, NULL))
                        ids[kept++] = ids[i];
        }
        *ret = TAKE_PTR(ids);
        *ret_n = kept;
        return 0;
}

/* A worker that sleeps in the kernel, or its unbind child, still holds the lock: wait for it rather
 * than act twice. */
static int lock_until(Ledger *l, uint64_t deadline_usec)
{
        int r;

        while ((r = ledger_lock(l, false)) == -EWOULDBLOCK && now_usec() < deadline_usec) {

                pause_usec(LOCK_RETRY_USEC);
        }
        return r;
}

static int recover_one(const char *dir, uint64_t id, uint64_t deadline_usec, Failure *f)
{
        _cleanup_(ledger_freep) Ledger *l = NULL, *fresh = NULL;
        int r;

        r = load(dir, id, &l, f);
        if (r < 0)
                return r;
        r = lock_until(l, deadline_usec);
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, l->path,
                        "its worker still sleeps in the kernel; recovery goes on when the kernel "
                        "lets it go (start pmemremoved again, or run pmemremoved --recover)");
        /* What the other one wrote until it let go. */
        r = load(dir, id, &fresh, f);
        if (r < 0)
                return r;
        (void)safe_close(fresh->fd);
        fresh->fd = TAKE_FD(l->fd);
        return run_recover(fresh, -EBADF, f);
}

int recover_all(const char *dir, uint64_t timeout_usec)
{
        _cleanup_(freep) uint64_t *ids = NULL;
        uint64_t deadline = usec_add(now_usec(), timeout_usec);
        Failure damaged = { 0 };
        size_t n = 0;
        int r, first = 0;

        r = recover_list(dir, &ids, &n, &damaged);
        if (r < 0)
                return r;
        if (damaged.kind != FAILURE_NONE) {
                log_error("%s: %s", damaged.node, damaged.sentence);
                first = -EBADMSG;
        }
        for (size_t i = 0; i < n; i++) {
                Failure f = { 0 };
                char text[1400];

                r = recover_one(dir, ids[i], deadline, &f);
                if (r == 0) {
                        log_info("removal %llu: recovered", (unsigned long long)ids[i]);
                        continue;
                }
                log_error("removal %llu: %s", (unsigned long long)ids[i],
                        failure_text(&f, text, sizeof(text)));
                first = first < 0 ? first : r;
        }
        return first;
}
