/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* FIFREEZE of one filesystem. Order is everything here:
 *
 *   look for newcomers     while a scan still cannot hang on frozen processes
 *   open the thaw handle   the only one that outlives a lazy umount or the shutdown
 *   fsync of every file    moves the cost of dirty data out of the frozen window, and cleans DAX
 *                          entries of earlier mappings that syncfs does not see
 *   start the guardian     before there is anything to guard, so that no instant is unguarded
 *   note "freezing"        before the ioctl, so that recovery knows what may be frozen
 *   FIFREEZE in a child    uninterruptible, and behind one stuck writer it never returns
 *   fsync what is mapped   a freeze alone does not stop writing through MAP_SYNC mappings
 *                          (sys/mapped.h); only now may nothing dirty the filesystem any more
 */

#include "step/freeze.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>

#include "plan.h"
#include "step/claim.h"
#include "step/common.h"
#include "step/frost.h"
#include "sys/freeze.h"
#include "sys/mapped.h"
#include "sys/proc.h"
#include "sys/xfs.h"

#define FREEZE_LOCK "/run/pmemremoved/freeze-lock"
#define LOCK_RETRY_USEC (100 * USEC_PER_MSEC)

/* Without a word of release the guardian takes the closing pipe for our death and thaws: right, if
 * we leave without having thawed. */
static void frost_drop(void *object)
{
        Frost *frost = object;

        frost->guardian.pipe_fd = safe_close(frost->guardian.pipe_fd);
        child_done(&frost->freezer);
        frost_note_unmap(frost->note);
        free(frost);
}

typedef struct SyncCall {
        int fd;
        uint64_t deadline_usec;
        const FileSet *mapped;
} SyncCall;

/* Where files cannot be listed or opened by handle, syncfs is all there is. */
static int sync_in_child(void *arg)
{
        const SyncCall *call = arg;
        int r = xfs_sync_files(call->fd, call->deadline_usec);

        if (r == -ENOTTY || r == -EOPNOTSUPP)
                r = 0;
        if (r == 0)
                r = file_set_sync(call->mapped);
        return r < 0 ? r : sync_fs(call->fd);
}

static int sync_mapped_in_child(void *arg)
{
        return file_set_sync(arg);
}

/* EBUSY: frozen by somebody else (a backup, dm), and a FITHAW of ours would end his freeze: the
 * kernel does not ask who froze (fs/super.c, thaw_super_locked()). Said from here, because the
 * worker may be dead by now. */
static int freeze_in_child(void *arg)
{
        Frost *frost = arg;
        int r = freeze_fs(frost->fd);

        if (r == -EBUSY && frost->note)
                frost->note->not_ours = 1;
        if (r == -EBUSY)
                guardian_dismiss(&frost->guardian);
        return r;
}

/* What the processes of the plan and the newcomers have mapped. */
static int open_mapped(const Step *s, Run *run, FileSet *mapped)
{
        const Record *r;
        int e = 0;

        for (size_t i = 0; e == 0 && (r = run_process(run, i)); i++) {
                pid_t pid;

                if (strstr(strempty(record_get(r, "uses")), "dax") && parse_pid(r->name, &pid) == 0)
                        e = file_set_add(mapped, pid, step_get_dev(s, "dev"));
        }
        return e;
}

static int check_newcomers(const Step *s, Run *run, Failure *f)
{
        int found = step_find_newcomers(run, s, step_get(s, "dev"), f);

        if (found > 0 && run_only_planned(run))
                return failure_set(f, FAILURE_PLAN_CHANGED, -ESTALE, step_node(s),
                        "%d processes came since the plan was shown; look at the new plan and ask "
                        "again",
                        found);
        return MIN_OF(found, 0);
}

/* Waits for FIFREEZE; a cancel does not end the wait, because nothing can end a freeze halfway: it
 * is seen before the next step, which is then not begun. */
static int wait_frozen(const Step *s, Run *run, Frost *frost, uint64_t deadline, Failure *f)
{
        char stack[256];
        int r;

        while ((r = child_wait(&frost->freezer, MIN_OF(deadline, now_usec() + USEC_PER_SEC),
                        -EBADF)) == -ETIMEDOUT &&
                now_usec() < deadline) {
                (void)proc_kernel_stack(frost->freezer.pid, stack, sizeof(stack));
                run_progress(
                        run, s, "the kernel waits for a writer inside the filesystem: %s", stack);
        }
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "FIFREEZE is not complete after FreezeTimeout=: a task is stuck inside a "
                        "write to it");
        if (r == -EBUSY)
                (void)run_note(run, "not-frozen", step_node(s), NULL);
        if (r == -EBUSY)
                return failure_set(f, FAILURE_BUSY, r, step_node(s),
                        "somebody else has frozen it (fsfreeze, a snapshot, dm); thaw it and ask "
                        "again");
        return r;
}

/* Frozen is only what cannot be written any more. */
static int stop_mapped_writers(const Step *s, const FileSet *mapped, Failure *f)
{
        int r = child_call(sync_mapped_in_child, (void *)mapped, step_get_u64(s, "wait"), -EBADF);

        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "the mapped files could not be synced in FreezeTimeout=");
        return r;
}

/* The window begins with the attempt: new writers sleep from then on, also while FIFREEZE still
 * waits for those who are inside (freeze_super(), fs/super.c). */
static int freeze_guarded(const Step *s, Run *run, Frost *frost, const FileSet *mapped, Failure *f)
{
        uint64_t wait = step_get_u64(s, "wait");
        char at[24];
        int r;

        (void)snprintf(at, sizeof(at), "%" PRIu64, now_usec());
        r = run_note(run, "freezing", step_node(s), "at", at, NULL);
        if (r == 0)
                r = child_start(&frost->freezer, false, freeze_in_child, frost);
        if (r < 0)
                return r;
        /* Without that knowledge it would give up too early after our death; better not to go on.
         */
        r = guardian_freezer(&frost->guardian, frost->freezer.pid);
        if (r < 0)
                return r;
        r = wait_frozen(s, run, frost, usec_add(now_usec(), wait), f);
        if (r < 0)
                return r;
        r = run_note(run, "frozen", step_node(s), NULL);
        return r < 0 ? r : stop_mapped_writers(s, mapped, f);
}

static int freeze_open(const Step *s, Run *run, int fd, const FileSet *mapped, Failure *f)
{
        Frost *frost = calloc(1, sizeof(*frost));
        int r;

        if (!frost)
                return -ENOMEM;
        *frost = (Frost){ .guardian = GUARDIAN_INIT, .freezer = CHILD_INIT, .fd = fd };
        r = run_hold_object(run, "frost", step_node(s), frost, frost_drop);
        if (r < 0) {
                frost_drop(frost);
                return r;
        }
        /* Without it the figures are upper bounds, and in doubt it is thawed. */
        if (frost_note_make(FROST_DIR, step_node(s), &frost->note) < 0)
                frost->note = NULL;
        r = guardian_start(&frost->guardian, fd,
                usec_add(now_usec(), step_get_u64(s, "thaw-after")), frost->note);
        return r < 0 ? r : freeze_guarded(s, run, frost, mapped, f);
}

static int sync_first(const Step *s, Run *run, int fd, const FileSet *mapped, Failure *f)
{
        uint64_t wait = step_get_u64(s, "wait");
        SyncCall call = { .fd = fd, .deadline_usec = usec_add(now_usec(), wait), .mapped = mapped };
        int r;

        do
                r = child_call(sync_in_child, &call, wait, run_cancel_fd(run));
        while (r == -ECANCELED && run_check_cancel(run, f) == 0);
        if (r == -ECANCELED)
                return r;
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "its files could not be synced in FreezeTimeout=; nothing was frozen");
        return r;
}

/* One filesystem is frozen at a time on this machine, whatever removal it belongs to (kernel-facts
 * 2.2). The lock goes with the descriptor, so an unbind that still sleeps in the kernel holds it.
 */
static int take_turn(const Step *s, Run *run, Failure *f)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        _cleanup_(closep) int fd =
                open(FREEZE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        int r = fd < 0 ? -errno : 0;

        while (r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK || now_usec() >= deadline)
                        return failure_set(f, FAILURE_TIMED_OUT, -ETIMEDOUT, step_node(s),
                                "another removal keeps a filesystem frozen; ask again later");
                run_progress(run, s, "waiting until another removal has thawed its filesystem");
                r = run_check_cancel(run, f);
                pause_usec(LOCK_RETRY_USEC);
        }
        if (r == 0)
                r = run_hold(run, "turn", step_node(s), fd);
        if (r == 0)
                (void)TAKE_FD(fd);
        return r;
}

static int freeze_mounted(const Step *s, Run *run, int fd, Failure *f)
{
        _cleanup_(file_set_done) FileSet mapped = { 0 };
        int r;

        r = run_hold(run, "thaw", step_node(s), fd);
        if (r < 0) {
                (void)safe_close(fd);
                return r;
        }
        r = take_turn(s, run, f);
        if (r < 0)
                return r;
        r = open_mapped(s, run, &mapped);
        if (r == 0)
                r = sync_first(s, run, fd, &mapped, f);
        return r < 0 ? r : freeze_open(s, run, fd, &mapped, f);
}

static int freeze_apply(const Step *s, Run *run, Failure *f)
{
        int r, fd;

        /* A first try whose child was killed (apply_asked_twice()) still holds the turn, which a
         * second descriptor waits for. It has reaped its FIFREEZE. */
        r = freeze_release(run, step_node(s), f);
        if (r == 0)
                r = check_newcomers(s, run, f);
        if (r < 0)
                return r;
        fd = frost_open_root(s);
        /* Unmounted on the first rung, or by somebody else: then the proof that nobody is left. */
        if (fd == -ENOENT)
                return claim_disk(run, strempty(step_get(s, "disk")), step_get_dev(s, "disk-dev"),
                        step_get(s, "dev"), f);
        return fd < 0 ? fd : freeze_mounted(s, run, fd, f);
}

bool freeze_held(const Run *run, const char *filesystem)
{
        return run_held(run, "frost", filesystem);
}

int freeze_check(const Run *run, const char *filesystem, Failure *f)
{
        const Held *held = run_held(run, "frost", filesystem);
        int r = held ? guardian_check(&((Frost *)held->object)->guardian) : -EBUSY;

        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, filesystem,
                        "too long after the freeze; its guardian has thawed it");
        if (r == -EOWNERDEAD)
                return failure_set(f, FAILURE_FAILED, r, filesystem,
                        "its guardian died; nobody would thaw it if the worker died too");
        return r;
}

/* Until the unbind, which thaws, or leaves nothing to thaw. */
static bool freeze_wanted(const Step *s)
{
        return claim_disk_exists(strempty(step_get(s, "disk")));
}

const StepOps step_freeze = {
        .name = "freeze",
        .title = "freezing",
        .apply = freeze_apply,
        .revert = frost_revert,
        .wanted = freeze_wanted,
};
