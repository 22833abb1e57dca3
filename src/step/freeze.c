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
#include <sys/stat.h>

#include "plan.h"
#include "step/claim.h"
#include "step/common.h"
#include "sys/child.h"
#include "sys/freeze.h"
#include "sys/guardian.h"
#include "sys/mapped.h"
#include "sys/proc.h"
#include "sys/xfs.h"

#define FROST_DIR "/run/pmemremoved"
#define RESCUE_DIR "/run/pmemremoved/rescue"
#define FREEZE_LOCK "/run/pmemremoved/freeze-lock"
#define LOCK_RETRY_USEC (100 * USEC_PER_MSEC)
#define RESCUE_TIMEOUT_USEC (30 * USEC_PER_SEC)

typedef struct Frost {
        Guardian guardian;
        Child freezer;
        FrostNote *note; /* NULL: /run is full */
        int fd;
} Frost;

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

/* Never by a path from here: above it may lie, in that namespace, a filesystem whose server does
 * not answer (FUSE where its owner lets root in, NFS), and no signal ends that wait
 * (request_wait_answer(), fs/fuse/dev.c). One that is hidden is none that can be opened. */
static int open_mount(const Mount *m)
{
        const MountPlace place = mount_place(m);
        int fd = mounts_open(&place);

        return fd == -ESTALE ? -ENOENT : fd;
}

/* Any mount of the filesystem, opened for real: some may have been unmounted on an earlier rung.
 * -ENOENT when it is mounted nowhere. */
static int open_root(const Step *s)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        int r;

        r = mounts_read_all(&l);
        if (r < 0)
                return r;
        r = -ENOENT;
        for (size_t i = 0; i < l.n && r < 0; i++)
                if (l.items[i].dev == step_get_dev(s, "dev"))
                        r = open_mount(&l.items[i]);
        return r;
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
        fd = open_root(s);
        /* Unmounted on the first rung, or by somebody else: then the proof that nobody is left. */
        if (fd == -ENOENT)
                return claim_disk(run, strempty(step_get(s, "disk")), step_get_dev(s, "disk-dev"),
                        step_get(s, "dev"), f);
        return fd < 0 ? fd : freeze_mounted(s, run, fd, f);
}

/* --- the way back --- */

/* Before the commit point the guardian may have thawed it, long before a stopped worker woke up or
 * recovery began. After it that does not count: inside the unbind the kernel has a freeze of its
 * own (6.12 counts both), and only the end of the unbind ends that. */
static uint64_t thawed_usec(const Run *run, const char *filesystem, uint64_t since_usec)
{
        FrostNote note = { 0 };
        uint64_t now = now_usec();

        if (run_committed(run) || frost_note_read(FROST_DIR, filesystem, &note) < 0 ||
                note.thawed_usec < since_usec)
                return now;
        return MIN_OF(now, note.thawed_usec);
}

static void note_over(Run *run, const char *filesystem)
{
        const Record *begun = run_recall(run, "freezing", filesystem);
        char usec[24];
        uint64_t at, end;

        if (begun && run_frozen(run, filesystem) && record_get_u64(begun, "at", &at) == 0) {
                end = thawed_usec(run, filesystem, at);
                (void)snprintf(usec, sizeof(usec), "%" PRIu64, end > at ? end - at : 0);
                /* It is thawed, whether or not that can be written down. */
                (void)run_note(run, "thawed", filesystem, "usec", usec, NULL);
        }
        frost_note_remove(FROST_DIR, filesystem);
}

/* Refused as somebody else's, or not tried yet: "freezing" is safe on disk before the ioctl, but
 * past the commit point nothing waits for that (run_note()). In doubt it is thawed. */
static bool is_not_ours(const Run *run, const char *filesystem)
{
        FrostNote note = { 0 };

        if (!run_recall(run, "freezing", filesystem))
                return !run_committed(run);
        return (frost_note_read(FROST_DIR, filesystem, &note) == 0 && note.not_ours) ||
               run_not_frozen(run, filesystem);
}

/* FITHAW's EINVAL means that nothing is frozen by user space: done (also what pre-remove leaves).
 */
static int thaw(Run *run, const char *filesystem, int fd)
{
        int r = is_not_ours(run, filesystem) ? 0 : thaw_fs(fd);

        if (r < 0 && r != -EINVAL)
                return r;
        note_over(run, filesystem);
        return 0;
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

int freeze_release(Run *run, const char *filesystem, Failure *f)
{
        const Held *handle = run_held(run, "thaw", filesystem);
        const Held *frost;
        int r;

        if (!handle)
                return 0;
        r = thaw(run, filesystem, handle->fd);
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, filesystem,
                        "could not be thawed: %s; the guardian keeps trying, fsfreeze -u or "
                        "SysRq-j may help",
                        strerror(-r));
        frost = run_held(run, "frost", filesystem);
        if (frost)
                guardian_release(&((Frost *)frost->object)->guardian);
        run_drop(run, "frost", filesystem);
        run_drop(run, "turn", filesystem);
        run_drop(run, "thaw", filesystem);
        return 0;
}

/* A freeze that has not come about yet must be waited for: until it is complete FITHAW answers
 * EINVAL, and then nobody would thaw it but the guardian. */
static void wait_freezer(const Step *s, Run *run)
{
        char stack[256];
        const Held *held = run_held(run, "frost", step_node(s));
        Frost *frost = held ? held->object : NULL;

        while (frost && frost->freezer.pid > 0 &&
                child_wait(&frost->freezer, now_usec() + USEC_PER_SEC, -EBADF) == -ETIMEDOUT) {
                (void)proc_kernel_stack(frost->freezer.pid, stack, sizeof(stack));
                run_progress(
                        run, s, "the freeze cannot be taken back before it is complete: %s", stack);
        }
}

/* Frozen, yet mounted nowhere: umount of a frozen filesystem succeeds and leaves a superblock that
 * only a new mount of the same device reaches (kernel-facts 5.3). */
static int thaw_ghost(const Step *s, Run *run)
{
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *devnode = string_printf("/dev/%s", step_node(s));
        MountPlace place = { .target = RESCUE_DIR };
        int r, e;

        if (!devnode)
                return -ENOMEM;
        if (mkdir(RESCUE_DIR, 0700) < 0 && errno != EEXIST)
                return -errno;
        r = mounts_place(
                &place, devnode, "/", strempty(step_get(s, "type")), "rw", "", RESCUE_TIMEOUT_USEC);
        if (r < 0)
                return r;
        fd = open(RESCUE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = fd < 0 ? -errno : thaw(run, step_node(s), fd);
        fd = safe_close(fd);
        e = mounts_umount(&place, false, RESCUE_TIMEOUT_USEC, -EBADF);
        return r < 0 ? r : e == -ENOENT ? 0 : e;
}

/* Its memory is gone, and it was told so: then the kernel has taken our freeze off as well, or
 * nothing could shut it down (xfs_dax_notify_ddev_failure(), fs/xfs/xfs_notify_failure.c, 6.8 to
 * 6.12). Nobody could do it from here: open answers EIO. */
static bool is_thawed_by_kernel(const Step *s, const Run *run)
{
        const char *disk = strempty(step_get(s, "disk"));
        const Plan *p = run_plan_of(run);

        for (size_t i = 0; i < p->n_steps && !claim_disk_exists(disk); i++)
                if (p->steps[i].ops == &step_unbind && step_get(&p->steps[i], "pre-remove") &&
                        streq(strempty(step_get(&p->steps[i], "disk")), disk))
                        return true;
        return false;
}

static int thaw_by_path(const Step *s, Run *run)
{
        _cleanup_(closep) int fd = open_root(s);

        if (fd >= 0)
                return thaw(run, step_node(s), fd);
        if (is_thawed_by_kernel(s, run))
                return 0;
        if (fd != -ENOENT)
                return fd;
        /* Nothing was frozen, and it is not mounted (any more): nothing to thaw. */
        if (!run_frozen(run, step_node(s)))
                return 0;
        return thaw_ghost(s, run);
}

static int freeze_revert(const Step *s, Run *run, Failure *f)
{
        int r;

        wait_freezer(s, run);
        run_drop(run, "claim", strempty(step_get(s, "disk")));
        if (run_held(run, "thaw", step_node(s)))
                return freeze_release(run, step_node(s), f);
        r = thaw_by_path(s, run);
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "could not be thawed: %s; run fsfreeze -u on its mount point",
                        strerror(-r));
        return 0;
}

static const Step *step_that_froze(const Run *run, const char *filesystem)
{
        const Plan *p = run_plan_of(run);

        for (size_t i = 0; i < p->n_steps; i++)
                if (p->steps[i].ops == &step_freeze && streq(step_node(&p->steps[i]), filesystem))
                        return &p->steps[i];
        return NULL;
}

/* Nobody thawed it, and nobody can: the root of an XFS that was shut down does not open any more
 * (xfs_dir_open(), fs/xfs/xfs_file.c, 6.1 and 6.12: EIO), an ext4's does. Or systemd has unmounted
 * it, because its disk is gone, and left the superblock. */
static bool is_out_of_reach(const Step *s, const Run *run, int fd)
{
        FrostNote note = { 0 };

        return fd < 0 && !is_thawed_by_kernel(s, run) &&
               (frost_note_read(FROST_DIR, step_node(s), &note) < 0 || note.thawed_usec == 0);
}

void freeze_release_late(Run *run, const char *filesystem)
{
        const Step *s = run_frozen(run, filesystem) ? step_that_froze(run, filesystem) : NULL;
        _cleanup_(closep) int fd = s ? open_root(s) : -EBADF;

        if (fd >= 0)
                (void)thaw(run, filesystem, fd);
        if (s && is_out_of_reach(s, run, fd))
                (void)run_note(run, "unthawed", strempty(step_get(s, "disk")), NULL);
        note_over(run, filesystem);
}

bool freeze_outlived(const Run *run, const char *disk)
{
        return run_recall(run, "unthawed", disk);
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
        .revert = freeze_revert,
        .wanted = freeze_wanted,
};
