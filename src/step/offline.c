/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes the blocks of device-dax that serves as RAM offline, one by one, then the driver kmem off.
 * In this order only: kmem lets go of online memory with success, the kernel uses it until the next
 * reboot, and nobody is told (dev_dax_kmem_remove(), drivers/dax/kmem.c). So what is left is asked
 * before the driver goes and once more after it. */

#include <inttypes.h>

#include "step/common.h"
#include "sys/bind.h"
#include "sys/child.h"
#include "sys/memory.h"

#define KMEM "kmem"
/* Pages that move by themselves, in pagevecs or under writeback, make a block busy for a moment;
 * what is busy for longer is not going to move. */
#define BUSY_USEC (5 * USEC_PER_SEC)
#define PAUSE_USEC (100 * USEC_PER_MSEC)
/* An unbind and a bind; for the device to come back after dax_pmem was bound again. */
#define BIND_USEC (60 * USEC_PER_SEC)
#define APPEAR_USEC (5 * USEC_PER_SEC)

static bool is_bound_to(const Step *s, const char *driver)
{
        char name[64];

        return bind_dax_driver(step_node(s), name, sizeof(name)) == 0 && streq(name, driver);
}

static bool same_place(const Step *s)
{
        uint64_t start, size;

        return memory_of_dax(step_node(s), &start, &size) == 0 &&
               start == step_get_u64(s, "start") && size == step_get_u64(s, "size");
}

static int offline_check(const Step *s, Run *run, Failure *f)
{
        if (same_place(s) && is_bound_to(s, KMEM))
                return 0;
        return failure_set(f, FAILURE_VANISHED, -ESTALE, step_node(s),
                "it is no longer the memory that the plan was made for; look at it and ask again");
}

/* --- blocks --- */

typedef struct Work {
        const Step *s;
        Run *run;
        Failure *f;
        uint64_t done, total;
        const char *online; /* the word that brings a block back */
} Work;

typedef struct Write {
        uint64_t block;
        const char *state;
} Write;

static int write_in_child(void *arg)
{
        const Write *w = arg;

        return memory_block_set(w->block, w->state);
}

static int failed_block(const Work *w, uint64_t block, int r)
{
        if (r == -ECANCELED)
                return run_check_cancel(w->run, w->f) < 0 ? r : -EAGAIN;
        if (r == -EBUSY)
                return failure_set(w->f, FAILURE_BUSY, r, step_node(w->s),
                        "its memory block memory%" PRIu64
                        " does not go offline: it holds pages that cannot be moved away (the "
                        "kernel's own, or pinned ones)",
                        block);
        return failure_set(w->f, r == -ETIMEDOUT ? FAILURE_TIMED_OUT : FAILURE_FAILED, r,
                step_node(w->s), "its memory block memory%" PRIu64 " does not go offline: %s",
                block, strerror(-r));
}

static int offline_block(uint64_t block, void *arg)
{
        Work *w = arg;
        Write write = { .block = block, .state = "offline" };
        uint64_t busy_until = usec_add(now_usec(), BUSY_USEC);
        MemoryState state;
        int r = memory_block_state(block, &state);

        if (r < 0 || state == MEMORY_OFFLINE || state == MEMORY_ABSENT)
                return r;
        do {
                r = child_call(
                        write_in_child, &write, step_get_u64(w->s, "wait"), run_cancel_fd(w->run));
                if (r < 0 && (r != -EBUSY || now_usec() >= busy_until))
                        r = failed_block(w, block, r);
                if (r == -EBUSY && w->f->kind == FAILURE_NONE)
                        pause_usec(PAUSE_USEC);
        } while (r == -EAGAIN || (r == -EBUSY && w->f->kind == FAILURE_NONE));
        run_progress(w->run, w->s, "%" PRIu64 " of %" PRIu64 " memory blocks are offline",
                ++w->done, w->total);
        return r;
}

static int refuse_online(uint64_t block, void *arg)
{
        Work *w = arg;
        MemoryState state;
        int r = memory_block_state(block, &state);

        if (r < 0 || state == MEMORY_OFFLINE || state == MEMORY_ABSENT)
                return r;
        return failure_set(w->f, FAILURE_BUSY, -EBUSY, step_node(w->s),
                "its memory block memory%" PRIu64
                " came online meanwhile; find out who does that (udev rules, "
                "auto_online_blocks) and ask again",
                block);
}

/* --- the driver --- */

static int detach_in_child(void *arg)
{
        return bind_dax_detach(KMEM, arg);
}

static int attach_in_child(void *arg)
{
        return bind_dax_attach(KMEM, arg);
}

static int detach_other_in_child(void *arg)
{
        char driver[64];
        int r = bind_dax_driver(arg, driver, sizeof(driver));

        return r == -ENOENT ? 0 : r < 0 ? r : bind_dax_detach(driver, arg);
}

static int detach(const Step *s, Work *w)
{
        int r = memory_list_each(step_get(s, "blocks"), refuse_online, w);

        if (r == 0)
                r = child_call(detach_in_child, (void *)step_node(s), BIND_USEC, -EBADF);
        if (r < 0)
                return r;
        r = memory_is_ram(step_get_u64(s, "start"), step_get_u64(s, "size"));
        return r <= 0 ? r
                      : failure_set(w->f, FAILURE_ROLLBACK_FAILED, -EBUSY, step_node(s),
                                "somebody brought it online in the last moment, and the kernel "
                                "goes on using it as RAM until the next reboot; do not take it out "
                                "of the machine before");
}

/* The rung before has done it. */
static bool is_done(const Step *s)
{
        return same_place(s) && !is_bound_to(s, KMEM) &&
               memory_is_ram(step_get_u64(s, "start"), step_get_u64(s, "size")) == 0;
}

static int offline_apply(const Step *s, Run *run, Failure *f)
{
        Work w = { .s = s, .run = run, .f = f };
        int r;

        if (is_done(s))
                return 0;
        r = offline_check(s, run, f);
        w.total = memory_list_count(step_get(s, "blocks"));
        if (r == 0)
                r = memory_list_each(step_get(s, "blocks"), offline_block, &w);
        return r < 0 ? r : detach(s, &w);
}

/* --- the way back --- */

/* The device goes and comes with dax_pmem, whose bind is reverted before this step. */
static bool appears(const Step *s)
{
        uint64_t until = usec_add(now_usec(), APPEAR_USEC);

        while (!same_place(s)) {
                if (now_usec() >= until)
                        return false;
                pause_usec(PAUSE_USEC);
        }
        return true;
}

static int attach(const Step *s)
{
        int r;

        if (is_bound_to(s, KMEM))
                return 0;
        r = child_call(detach_other_in_child, (void *)step_node(s), BIND_USEC, -EBADF);
        /* kmem may take it by itself, because it was told its name long ago. */
        if (r == 0 && !is_bound_to(s, KMEM))
                r = child_call(attach_in_child, (void *)step_node(s), BIND_USEC, -EBADF);
        if (r == -EEXIST || (r == -EBUSY && is_bound_to(s, KMEM)))
                r = 0;
        return r == 0 && !is_bound_to(s, KMEM) ? -ENODEV : r;
}

/* The machine's own policy may have brought it online already, perhaps into another zone
 * (auto_online_blocks). */
static int online_block(uint64_t block, void *arg)
{
        const Work *w = arg;
        Write write = { .block = block, .state = w->online };
        MemoryState want = streq(w->online, "online_movable") ? MEMORY_MOVABLE : MEMORY_KERNEL;
        MemoryState state;
        int r = memory_block_state(block, &state);

        if (r < 0 || state == want)
                return r;
        if (state == MEMORY_ABSENT)
                return -ENODEV;
        if (state != MEMORY_OFFLINE) {
                Write off = { .block = block, .state = "offline" };

                r = child_call(write_in_child, &off, step_get_u64(w->s, "wait"), -EBADF);
        }
        return r < 0 ? r : child_call(write_in_child, &write, step_get_u64(w->s, "wait"), -EBADF);
}

static int offline_revert(const Step *s, Run *run, Failure *f)
{
        Work w = { .s = s, .run = run, .f = f, .online = "online_movable" };
        int r = appears(s) ? attach(s) : -ENODEV;

        if (r == 0)
                r = memory_list_each(step_get(s, "movable"), online_block, &w);
        w.online = "online_kernel";
        if (r == 0)
                r = memory_list_each(step_get(s, "kernel"), online_block, &w);
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "could not be given to the system as RAM again: %s; try daxctl "
                        "reconfigure-device --mode=system-ram %s",
                        strerror(-r), step_node(s));
        return 0;
}

const StepOps step_offline = {
        .name = "offline",
        .title = "taking offline the memory of",
        .check = offline_check,
        .apply = offline_apply,
        .revert = offline_revert,
};
