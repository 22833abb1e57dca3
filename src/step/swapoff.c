/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Turns one swap area off: everything on it moves back to memory or to other areas. Taken back by
 * turning it on again with its priority. What the kernel does not show is lost: discard= goes back
 * to none, and an area whose priority the kernel gave comes last. */

#include <inttypes.h>
#include <sys/stat.h>

#include "kinds.h"
#include "step/common.h"
#include "sys/blkid.h"
#include "sys/child.h"
#include "sys/pidfd.h"
#include "sys/swaps.h"
#include "util/shell.h"

#define LOOK_USEC (200 * USEC_PER_MSEC)
/* What is left of an interrupted swapoff: at most the page that is being read. */
#define STOP_USEC (10 * USEC_PER_SEC)
#define SWAPON_USEC (60 * USEC_PER_SEC)

/* 1 when this area is in use, with what is on it; 0 when it is not. */
static int look(const Step *s, uint64_t *ret_used_kib)
{
        _cleanup_(swap_list_done) SwapList l = { 0 };
        const SwapArea *a;
        int r = swaps_read(&l);

        if (r < 0)
                return r;
        a = swap_list_find(&l, step_node(s));
        if (!a || a->deleted)
                return 0;
        *ret_used_kib = a->used_kib;
        return 1;
}

/* Free swap that is on other areas. */
static int free_elsewhere(const Step *s, uint64_t *ret_kib)
{
        _cleanup_(swap_list_done) SwapList l = { 0 };
        int r = swaps_read(&l);

        *ret_kib = 0;
        for (size_t i = 0; i < l.n; i++)
                if (!streq(l.items[i].path, step_node(s)))
                        *ret_kib += l.items[i].size_kib - l.items[i].used_kib;
        return r;
}

/* The plan was made a while ago. A swapoff that does not fit calls the OOM killer, and not only on
 * itself. */
static int check_room(const Step *s, uint64_t used_kib, Failure *f)
{
        uint64_t elsewhere_kib = 0, room_kib;
        MemoryFree memory;
        int r;

        if (used_kib == 0)
                return 0;
        r = memory_free_read(&memory);
        if (r == 0)
                r = free_elsewhere(s, &elsewhere_kib);
        if (r < 0)
                return r;
        room_kib = memory.available_kib + elsewhere_kib;
        if (room_kib >= SWAP_ROOM_KIB(used_kib))
                return 0;
        return failure_set(f, FAILURE_BUSY, -ENOMEM, step_node(s),
                "%" PRIu64 " MiB are on it, and of memory and other swap only %" PRIu64
                " MiB are free; free some and ask again",
                used_kib / 1024, room_kib / 1024);
}

static int check_device(const Step *s, Failure *f)
{
        struct stat st;

        if (!step_get(s, "dev"))
                return 0;
        if (stat(step_node(s), &st) == 0 && S_ISBLK(st.st_mode) &&
                st.st_rdev == step_get_dev(s, "dev"))
                return 0;
        return failure_set(f, FAILURE_VANISHED, -ESTALE, step_node(s),
                "it is another device by now; look at it and ask again");
}

/* 1: there is something to do. */
static int prepare(const Step *s, uint64_t *ret_used_kib, Failure *f)
{
        int r = look(s, ret_used_kib), e;

        if (r <= 0)
                return r;
        e = check_device(s, f);
        if (e == 0)
                e = check_room(s, *ret_used_kib, f);
        return e < 0 ? e : r;
}

static int swapoff_check(const Step *s, Run *run, Failure *f)
{
        uint64_t used_kib;
        int r = prepare(s, &used_kib, f);

        return r < 0 ? r : 0;
}

static int swapoff_child(void *arg)
{
        return swap_off(step_node(arg));
}

static void tell(const Step *s, Run *run, uint64_t all_kib)
{
        uint64_t left_kib;

        if (look(s, &left_kib) == 1)
                run_progress(run, s, "%" PRIu64 " of %" PRIu64 " MiB are still on it",
                        left_kib / 1024, MAX_OF(all_kib, left_kib) / 1024);
}

static int wait_child(const Step *s, Run *run, Child *c, uint64_t all_kib, Failure *f)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        int r;

        for (;;) {
                r = child_wait(
                        c, MIN_OF(deadline, usec_add(now_usec(), LOOK_USEC)), run_cancel_fd(run));
                if (r == -ECANCELED && (r = run_check_cancel(run, f)) < 0)
                        return r;
                if (c->pidfd < 0 || (r < 0 && r != -ETIMEDOUT))
                        return r;
                if (now_usec() >= deadline)
                        return failure_set(f, FAILURE_TIMED_OUT, -ETIMEDOUT, step_node(s),
                                "it could not be emptied in time; look at the load of the machine "
                                "and ask again");
                tell(s, run, all_kib);
        }
}

/* Interrupted, not abandoned: whoever takes it back must find an end of it. */
static void stop_child(Child *c)
{
        if (c->pidfd >= 0 && pidfd_signal(c->pidfd, SIGKILL) == 0 &&
                child_wait(c, usec_add(now_usec(), STOP_USEC), -EBADF) == 0)
                return;
        child_done(c);
}

static int swapoff_apply(const Step *s, Run *run, Failure *f)
{
        Child c = CHILD_INIT;
        uint64_t used_kib;
        int r = prepare(s, &used_kib, f);

        if (r <= 0)
                return r;
        r = child_start(&c, true, swapoff_child, (void *)s);
        if (r < 0)
                return r;
        r = wait_child(s, run, &c, used_kib, f);
        stop_child(&c);
        if (r < 0 && look(s, &used_kib) == 0)
                return 0;
        /* When memory runs out the kernel kills whoever does a swapoff first
         * (set_current_oom_origin() in mm/swapfile.c). */
        if (r == -ENOMEM || r == -EOWNERDEAD)
                return failure_set(f, FAILURE_BUSY, r, step_node(s),
                        "there is not enough memory for what is on it; free some and ask again");
        return r;
}

static int check_area(const Step *s, Failure *f)
{
        const char *uuid = step_get(s, "swap-uuid");
        BlkidInfo info;
        int r;

        if (!uuid)
                return 0;
        r = blkid_ask(step_node(s), &info);
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "cannot be turned on again as swap: it cannot be read (%s)", strerror(-r));
        if (!streq(info.uuid, uuid))
                return failure_set(f, FAILURE_ROLLBACK_FAILED, -ESTALE, step_node(s),
                        "is not turned on again as swap: it now holds something else (UUID %s, was "
                        "%s)",
                        info.uuid, uuid);
        return 0;
}

static int swapon_child(void *arg)
{
        const Step *s = arg;
        const char *text = step_get(s, "priority");
        uint64_t priority;

        return swap_on(step_node(s),
                text && parse_u64(text, &priority) == 0 ? (int)MIN_OF(priority, 32767U) : -1);
}

static int swapoff_revert(const Step *s, Run *run, Failure *f)
{
        char word[SHELL_WORD_MAX];
        uint64_t used_kib;
        int r = look(s, &used_kib);

        if (r != 0)
                return r < 0 ? r : 0;
        r = check_area(s, f);
        if (r < 0)
                return r;
        r = child_call(swapon_child, (void *)s, SWAPON_USEC, -EBADF);
        if (r < 0 && look(s, &used_kib) != 1)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "could not be turned on again as swap: %s; try swapon %s", strerror(-r),
                        shell_word(step_node(s), word, sizeof(word)));
        return 0;
}

const StepOps step_swapoff = {
        .name = "swapoff",
        .title = "turning off swap on",
        .check = swapoff_check,
        .apply = swapoff_apply,
        .revert = swapoff_revert,
};
