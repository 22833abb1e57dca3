/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recovery without a bus: what ExecStopPost= runs when the daemon is gone for good. */

#include "recover.h"

#include <inttypes.h>

#include "run.h"
#include "util/log.h"
#include "util/own-file.h"
#include "util/text.h"

#define LOCK_RETRY_USEC (100 * USEC_PER_MSEC)

bool recover_is_shortage(int err)
{
        return err == -ENOMEM || err == -EAGAIN || err == -EMFILE || err == -ENFILE || err == -EIO;
}

int recover_refuse(const char *dir, uint64_t id, int err, Failure *f)
{
        _cleanup_(freep) char *path = NULL;
        int r;

        r = ledger_path(dir, id, &path);
        if (r < 0)
                return r;
        if (recover_is_shortage(err))
                return failure_set(f, FAILURE_ROLLBACK_FAILED, err, path,
                        "this ledger could not be read now (%s); start pmemremoved again, or run "
                        "pmemremoved --recover",
                        strerror(-err));
        return failure_set(f, FAILURE_ROLLBACK_FAILED, err, path,
                "this ledger is not obeyed, because %s; nobody knows what its removal left undone: "
                "look at it and at the devices it names, then delete it; or, where only its owner, "
                "mode or name was changed, give that back (root, 0600, one name) and restart "
                "pmemremoved. Until then nothing is removed",
                own_file_cause(err));
}

static int load(const char *dir, uint64_t id, Ledger **ret, Failure *f)
{
        int r = ledger_load_id(dir, id, policy_find_step, ret);

        return r < 0 ? recover_refuse(dir, id, r, f) : 0;
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

/* 1: it was, 0: there was nothing to do. */
static int recover_one(const char *dir, uint64_t id, uint64_t deadline_usec, Failure *f)
{
        _cleanup_(ledger_freep) Ledger *l = NULL, *fresh = NULL;
        int r;

        r = load(dir, id, &l, f);
        /* Somebody has deleted it just now. */
        if (r == -ENOENT)
                return 0;
        if (r < 0 || ledger_finished(l, NULL))
                return r;
        r = lock_until(l, deadline_usec);
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, l->path,
                        "its worker still sleeps in the kernel; recovery goes on when the kernel "
                        "lets it go (start pmemremoved again, or run pmemremoved --recover)");
        /* What the other one wrote until it let go. */
        r = load(dir, id, &fresh, f);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        (void)safe_close(fresh->fd);
        fresh->fd = TAKE_FD(l->fd);
        r = run_recover(fresh, -EBADF, f);
        return r < 0 ? r : 1;
}

static int recover_and_tell(const char *dir, uint64_t id, uint64_t deadline_usec)
{
        Failure f = { 0 };
        char text[1400];
        int r;

        r = recover_one(dir, id, deadline_usec, &f);
        if (r < 0)
                log_error("removal %" PRIu64 ": %s", id, failure_text(&f, text, sizeof(text)));
        else if (r > 0)
                log_info("removal %" PRIu64 ": recovered", id);
        return r;
}

int recover_all(const char *dir, uint64_t timeout_usec)
{
        _cleanup_(closep) int dir_fd = own_folder_open(dir);
        _cleanup_(freep) uint64_t *ids = NULL;
        uint64_t deadline = usec_add(now_usec(), timeout_usec);
        size_t n = 0;
        int r, first = 0;

        if (dir_fd == -ENOENT)
                return 0;
        if (dir_fd < 0) {
                log_error("%s: no ledger in it is obeyed, because %s", dir, own_file_cause(dir_fd));
                return dir_fd;
        }
        r = ledger_list(dir, &ids, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                r = recover_and_tell(dir, ids[i], deadline);
                first = first < 0 ? first : r;
        }
        return first < 0 ? first : 0;
}
