/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a freeze: by the handle from before it, by a mount, by a new mount, and in a life
 * after the one that froze. */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "plan.h"
#include "step/claim.h"
#include "step/common.h"
#include "step/freeze.h"
#include "step/frost.h"
#include "sys/freeze.h"
#include "sys/proc.h"

#define RESCUE_DIR "/run/pmemremoved/rescue"
#define RESCUE_TIMEOUT_USEC (30 * USEC_PER_SEC)

/* Never by a path from here: above it may lie, in that namespace, a filesystem whose server does
 * not answer (FUSE where its owner lets root in, NFS), and no signal ends that wait
 * (request_wait_answer(), fs/fuse/dev.c). One that is hidden is none that can be opened. */
static int open_mount(const Mount *m)
{
        const MountPlace place = mount_place(m);
        int fd = mounts_open(&place);

        return fd == -ESTALE ? -ENOENT : fd;
}

int frost_open_root(const Step *s)
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
        _cleanup_(closep) int fd = frost_open_root(s);

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

int frost_revert(const Step *s, Run *run, Failure *f)
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
        _cleanup_(closep) int fd = s ? frost_open_root(s) : -EBADF;

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
