/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* umount, DM_DEV_REMOVE and the like may sleep uninterruptibly: the call is cancelled or its time
 * is over, its process has SIGKILL pending, and it completes all the same once the kernel has what
 * it waits for (cleanup_mnt(), fs/namespace.c, runs on the way out of umount(2), after the mount
 * has left the table; 6.1 and 6.12). Undone before that, a mount would be made again that is being
 * unmounted: mount(2) sleeps until the dying superblock is gone, and fails or not by chance. So it
 * is waited for first. If the worker dies meanwhile, the child still has the lock of the ledger,
 * and recovery waits for that. */

#include "step/sleeper.h"

#include "sys/proc.h"
#include "util/text.h"

static const char *number_of(const Step *s, char buf[static 16])
{
        (void)snprintf(buf, 16, "%u", s->number);
        return buf;
}

static void sleeper_drop(void *object)
{
        Child *c = object;

        child_done(c);
        free(c);
}

/* In the kernel's uninterruptible sleep, and where. */
static bool sleeps(const Child *c, char *stack, size_t size)
{
        *stack = '\0';
        if (proc_state(c->pid) != 'D')
                return false;
        (void)proc_kernel_stack(c->pid, stack, size);
        return true;
}

/* Until the kernel lets it go, saying meanwhile where it is. */
static void wait_out(const Step *s, Run *run, Child *c)
{
        char stack[256];

        while (child_wait(c, now_usec() + USEC_PER_SEC, -EBADF) == -ETIMEDOUT) {
                (void)sleeps(c, stack, sizeof(stack));
                run_progress(run, s,
                        "%s %s will be undone as soon as the kernel returns from it; process %d "
                        "sleeps there: %s",
                        s->ops->title, step_node(s), c->pid, stack);
        }
}

/* For whoever undoes the step. What cannot be remembered, for want of memory, is waited for at
 * once: late is better than undone while it is being done. */
static void keep(const Step *s, Run *run, Child *c)
{
        char number[16];
        Child *kept;

        if (child_kill(c))
                return;
        kept = calloc(1, sizeof(*kept));
        if (kept)
                *kept = *c;
        if (!kept ||
                run_hold_object(run, "sleeper", number_of(s, number), kept, sleeper_drop) < 0) {
                free(kept);
                wait_out(s, run, c);
                return;
        }
        *c = (Child)CHILD_INIT;
}

int sleeper_wait(const Step *s, Run *run, Child *c, Failure *f)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        char stack[256];
        int r;

        for (;;) {
                r = child_wait(c, MIN_OF(deadline, now_usec() + USEC_PER_SEC), run_cancel_fd(run));
                if (r == -ECANCELED && (r = run_check_cancel(run, f)) == 0)
                        continue;
                if (r != -ETIMEDOUT || now_usec() >= deadline)
                        break;
                run_catch_up(run);
                if (sleeps(c, stack, sizeof(stack)))
                        run_progress(run, s, "process %d sleeps in the kernel: %s", c->pid, stack);
        }
        if (r == -ETIMEDOUT || r == -ECANCELED)
                keep(s, run, c);
        return r;
}

void sleeper_join(const Step *s, Run *run)
{
        char number[16];
        const Held *held = run_held(run, "sleeper", number_of(s, number));

        if (!held)
                return;
        wait_out(s, run, held->object);
        run_drop(run, "sleeper", number);
}
