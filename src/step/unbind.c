/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes the driver off one namespace's device. The write cannot fail once the driver took it and
 * cannot be cancelled, so a child of its own sleeps in it; it inherits the ledger's lock, and
 * whoever recovers waits for that lock instead of acting twice.
 *
 * On the graceful road the disk is claimed, nobody is left, and binding again undoes it. On the
 * forced road the kernel freezes, kills and shuts the filesystem down inside the write (key
 * pre-remove), and its message is the only proof that it did; where no DAX mapping can exist it
 * only shuts it down (key shutdown), silently and killing nobody. */

#include <inttypes.h>
#include <poll.h>
#include <sys/stat.h>

#include "step/common.h"
#include "step/freeze.h"
#include "step/vanished.h"
#include "sys/bind.h"
#include "sys/child.h"
#include "sys/console.h"
#include "sys/kmsg.h"
#include "sys/memory.h"
#include "sys/proc.h"
#include "sys/sysfs.h"

/* xfs_dax_notify_ddev_failure(), fs/xfs/xfs_notify_failure.c, 6.12 */
#define PRE_REMOVE_MESSAGE "Device is about to be removed!"
/* kill_proc(), mm/memory-failure.c: one line per page and process, not rate limited */
#define SIGBUS_MESSAGE "Sending SIGBUS to "
/* Prints less than KERN_ERR: those lines on a serial console cost more than the kills themselves.
 */
#define QUIET_LEVEL 3
/* include/linux/threads.h */
#define PID_MAX_LIMIT (4U * 1024 * 1024)

typedef struct Watch {
        int kmsg_fd;
        bool announced;
} Watch;

static int detach_in_child(void *arg)
{
        const Step *s = arg;

        return bind_detach(step_get(s, "driver"), step_get(s, "device"));
}

/* --- what the kernel says meanwhile --- */

/* The first time that this process is named? There can be a line for each page and process. */
static bool is_new_victim(const Run *run, uint64_t pid, const char *word)
{
        static uint8_t seen[PID_MAX_LIMIT / 8];

        if (pid >= PID_MAX_LIMIT || seen[pid / 8] & 1U << pid % 8)
                return false;
        seen[pid / 8] |= (uint8_t)(1U << pid % 8);
        return !run_recall(run, "sigbus", word);
}

static void note_victim(Run *run, const char *text)
{
        const char *name = strstr(text, SIGBUS_MESSAGE) + strlen(SIGBUS_MESSAGE);
        const char *end = strstr(name, " due to ");
        char word[64], *colon;
        uint64_t pid;

        if (!end || (size_t)(end - name) >= sizeof(word))
                return;
        (void)snprintf(word, sizeof(word), "%.*s", (int)(end - name), name);
        colon = strrchr(word, ':');
        if (!colon || parse_u64(colon + 1, &pid) < 0)
                return;
        *colon = '\0';
        if (is_new_victim(run, pid, colon + 1))
                (void)run_note(run, "sigbus", colon + 1, "comm", word, NULL);
}

static void drain_kmsg(const Step *s, Run *run, Watch *w)
{
        char text[1024];

        while (w->kmsg_fd >= 0 && kmsg_next(w->kmsg_fd, text, sizeof(text)) == 1) {
                if (strstr(text, SIGBUS_MESSAGE))
                        note_victim(run, text);
                if (!strstr(text, PRE_REMOVE_MESSAGE) ||
                        !strstr(text, strempty(step_get(s, "disk"))))
                        continue;
                w->announced = true;
                (void)run_note(run, "kernel", step_node(s), "text", text, NULL);
        }
}

/* Before the write: what is unbound without this note was unbound by somebody else, and is neither
 * called ours nor bound again.
 *
 * On the forced road recovery looks for the same line in the kernel's log: what comes after it was
 * said during this unbind. A time stamp would not do, the log's clock drifts from every other one.
 */
static int note_unbinding(const Step *s, Run *run, bool mark)
{
        _cleanup_(freep) char *text =
                string_printf("pmemremoved: unbinding %s, usec %" PRIu64, step_node(s), now_usec());
        int r;

        if (!text)
                return run_committed(run) ? 0 : -ENOMEM;
        r = run_note(run, "unbinding", step_node(s), "mark", mark ? text : NULL, NULL);
        if (r == 0 && mark)
                (void)kmsg_write(text);
        return r;
}

/* Recovery needs to know the level if we die with the console quiet; and so do we, which past the
 * commit point no error says. */
static void quiet_console(Run *run)
{
        const Record *before = run_recall(run, "console", NULL);
        char word[16];
        int level;

        if (console_level_get(&level) < 0 || level <= QUIET_LEVEL)
                return;
        (void)snprintf(word, sizeof(word), "%d", level);
        (void)run_note(run, "console", NULL, "level", word, NULL);
        if (run_recall(run, "console", NULL) != before)
                (void)console_level_set(QUIET_LEVEL);
}

static void restore_console(Run *run)
{
        const Record *r = run_recall(run, "console", NULL);
        uint64_t level;

        if (!r || record_get_u64(r, "level", &level) < 0 || level <= QUIET_LEVEL || level > 15)
                return;
        (void)console_level_set((int)level);
        (void)run_note(run, "console", NULL, "level", "0", NULL);
}

/* --- the write --- */

static bool disk_exists(const Step *s)
{
        char path[128];

        if (!step_get(s, "disk"))
                return false;
        (void)snprintf(path, sizeof(path), "/sys/class/block/%s", step_get(s, "disk"));
        return access(path, F_OK) == 0;
}

static bool is_bound(const Step *s)
{
        char driver[64];

        return bind_driver(strempty(step_get(s, "device")), driver, sizeof(driver)) == 0 &&
               streq(driver, strempty(step_get(s, "driver")));
}

static int unbind_check(const Step *s, Run *run, Failure *f)
{
        char path[128], devnum[DEVNUM_MAX];
        dev_t dev;

        if (!is_bound(s))
                return failure_set(f, FAILURE_VANISHED, -ENODEV, step_node(s),
                        "its device %s is no longer bound to %s; somebody else removed it",
                        strna(step_get(s, "device")), strna(step_get(s, "driver")));
        if (!step_get(s, "disk"))
                return 0;
        (void)snprintf(path, sizeof(path), "/sys/class/block/%s", step_get(s, "disk"));
        if (sysfs_devnum(path, &dev) < 0 ||
                !streq(format_devnum(devnum, dev), strempty(step_get(s, "dev"))))
                return failure_set(f, FAILURE_VANISHED, -ESTALE, step_node(s),
                        "%s is another device than the plan was made for", step_get(s, "disk"));
        return 0;
}

/* The kernel would let go of memory that it uses as RAM, say success, and go on using it
 * (dev_dax_kmem_remove(), drivers/dax/kmem.c). step/offline.c has seen to it; this is the last
 * question before the write, and unknown is no. */
static int check_no_ram(const Step *s, Failure *f)
{
        const char *chardev = step_get(s, "chardev");
        uint64_t start, size;
        char driver[64];
        int r;

        if (!chardev)
                return 0;
        r = memory_of_dax(chardev, &start, &size);
        if (r == 0)
                r = memory_is_ram(start, size);
        if (r == 0 && bind_dax_driver(chardev, driver, sizeof(driver)) == 0 &&
                streq(driver, "kmem"))
                r = 1;
        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "nobody can tell whether the kernel uses %s as RAM: %s", chardev,
                        strerror(-r));
        return r == 0 ? 0
                      : failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s),
                                "the kernel uses %s as RAM; take its memory offline (daxctl "
                                "offline-memory) and ask again",
                                chardev);
}

/* On the forced road its users are still there, and since the plan was made they may have pinned it
 * or others have come who did. */
static int check_no_pins(const Step *s, Failure *f)
{
        char names[256];
        int r = step_get(s, "nodes") ? step_find_pins(step_get(s, "nodes"), names, sizeof(names))
                                     : 0;

        if (r < 0)
                return failure_set(f, FAILURE_FAILED, r, step_node(s),
                        "nobody can tell whether %s is pinned: %s", strna(step_get(s, "chardev")),
                        strerror(-r));
        return r == 0 ? 0
                      : failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s),
                                "%s has its memory pinned for a device or the kernel, and the "
                                "machine would crash when it is let go; stop it and ask again",
                                names);
}

/* Waits as long as the kernel needs: a deadline cannot end an unbind, it can only be told. Wakes
 * when the child ends or the kernel says something. */
static int wait_unbound(const Step *s, Run *run, Child *c, Watch *w)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        char stack[256];
        bool late = false;
        int r;

        while ((r = child_wait(c, now_usec(), -EBADF)) == -ETIMEDOUT) {
                struct pollfd fds[] = {
                        { .fd = c->pidfd, .events = POLLIN },
                        { .fd = w->kmsg_fd, .events = POLLIN },
                };

                (void)poll(fds, ELEMENTSOF(fds), 1000);
                drain_kmsg(s, run, w);
                run_catch_up(run);
                late = late || now_usec() > deadline;
                if (!late)
                        continue;
                (void)proc_kernel_stack(c->pid, stack, sizeof(stack));
                run_progress(run, s,
                        "the unbind takes longer than UnbindTimeout=; the kernel is at: %s", stack);
        }
        drain_kmsg(s, run, w);
        if (r == 0 && late && !run_committed(run))
                return -ETIMEDOUT;
        return r;
}

static int write_unbind(const Step *s, Run *run, Watch *w)
{
        _cleanup_(child_done) Child c = CHILD_INIT;
        int r;

        r = note_unbinding(s, run, w->kmsg_fd >= 0);
        if (r == 0)
                r = child_start(&c, false, detach_in_child, (void *)s);
        if (r == 0)
                r = wait_unbound(s, run, &c, w);
        /* unbind_store(), drivers/base/bus.c: it had no driver any more when the write came. */
        if (r == -ENODEV)
                (void)run_note(
                        run, "vanished", step_node(s), "device", step_get(s, "device"), NULL);
        return r;
}

/* Each filesystem of the namespace is thawed already if pre-remove ran. One that was only shut down
 * is not: a freeze of user space survives the end of the disk (kernel-facts 2.4), and this is what
 * lets its blocked processes go, with EIO. */
static int release_filesystems(const Step *s, Run *run, Failure *f)
{
        _cleanup_(strv_freep) char **names = NULL;
        int r, first = 0;

        r = strv_split(strempty(step_get(s, "filesystems")), &names);
        if (r < 0)
                return r;
        for (char **name = names; name && *name; name++) {
                r = freeze_release(run, *name, f);
                if (r < 0 && first == 0)
                        first = r;
        }
        return first;
}

/* The kernel did not warn the filesystem although every probe said it would. Its memory is gone
 * under live mappings, and the next umount or exit would oops; bound again before that happens,
 * nothing is lost (lab-facts 8 and 10). */
static int rescue(const Step *s, Run *run, Failure *f)
{
        int r = bind_attach(strempty(step_get(s, "driver")), strempty(step_get(s, "device")));

        return failure_set(f, FAILURE_PARTIAL, -EUCLEAN, step_node(s),
                "the kernel did not announce the removal to the filesystem; the device was bound "
                "again (%s); "
                "unmount the old mount before anything else, then mount it anew",
                r == 0 ? "ok" : strerror(-r));
}

/* Nobody has a filesystem on it any more: unmounted on the first rung, or by somebody else. */
static bool is_claimed(const Step *s, const Run *run)
{
        return run_held(run, "claim", strempty(step_get(s, "disk")));
}

/* The kernel's own freeze happens under the device lock and cannot be taken back. Ours before it is
 * the proof that it will not get stuck behind a writer. */
static int check_frozen(const Step *s, Run *run, Failure *f)
{
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        if (is_claimed(s, run))
                return 0;
        r = strv_split(strempty(step_get(s, "filesystems")), &names);
        for (char **name = names; name && *name && r == 0; name++)
                r = freeze_held(run, *name)
                            ? freeze_check(run, *name, f)
                            : failure_set(f, FAILURE_FAILED, -EBUSY, step_node(s),
                                      "%s could not be frozen, so its device is left alone", *name);
        return r;
}

static int forced(const Step *s, Run *run, Failure *f)
{
        bool warns = step_get(s, "pre-remove") && !is_claimed(s, run);
        Watch w = { .kmsg_fd = -EBADF };
        int r, e;

        r = check_frozen(s, run, f);
        if (r < 0)
                return r;
        w.kmsg_fd = kmsg_open();

        quiet_console(run);
        r = write_unbind(s, run, &w);
        restore_console(run);
        w.kmsg_fd = safe_close(w.kmsg_fd);
        e = release_filesystems(s, run, f);
        if (r < 0)
                return r;
        if (warns && !w.announced)
                return rescue(s, run, f);
        return e;
}

/* Whatever the write said: is it gone? */
static int confirm_gone(const Step *s, Failure *f)
{
        if (!is_bound(s) && !disk_exists(s))
                return 0;
        return failure_set(f, FAILURE_FAILED, -EBUSY, step_node(s),
                "%s is still there after the unbind",
                step_get(s, "disk") ? step_get(s, "disk") : strempty(step_get(s, "device")));
}

static bool was_frozen(const Step *s, const Run *run)
{
        _cleanup_(strv_freep) char **names = NULL;
        bool any = strv_split(strempty(step_get(s, "filesystems")), &names) < 0;

        for (char **name = names; name && *name; name++)
                any = any || run_recall(run, "frozen", *name);
        return any;
}

static void thaw_late(const Step *s, Run *run)
{
        _cleanup_(strv_freep) char **names = NULL;

        if (strv_split(strempty(step_get(s, "filesystems")), &names) < 0)
                return;
        for (char **name = names; name && *name; name++)
                freeze_release_late(run, *name);
}

/* Recovery past the commit point: the write of an earlier life has been completed, but nobody
 * listened to the kernel. Where the log has been overwritten nothing is known, and the probes that
 * allowed the forced road stand for the warning. What was only shut down has been thawed by the
 * guardian when that life ended, if it did not end together with its worker. */
static int unbound_in_earlier_life(const Step *s, Run *run, Failure *f)
{
        const Record *marked = run_recall(run, "unbinding", step_node(s));
        Watch w = { .kmsg_fd = -EBADF };
        bool announced = true;

        restore_console(run);
        thaw_late(s, run);
        if (!was_frozen(s, run) || step_get(s, "shutdown"))
                return confirm_gone(s, f);
        if (marked)
                w.kmsg_fd = kmsg_open_after(strempty(record_get(marked, "mark")));
        if (w.kmsg_fd >= 0) {
                drain_kmsg(s, run, &w);
                announced = w.announced || run_recall(run, "kernel", step_node(s));
        }
        w.kmsg_fd = safe_close(w.kmsg_fd);
        return announced ? confirm_gone(s, f) : rescue(s, run, f);
}

static bool is_forced(const Step *s)
{
        return step_get(s, "pre-remove") || step_get(s, "shutdown");
}

/* The filesystems were let go when the child was gone, so this run cannot ask again: it would only
 * find out that nothing is frozen. */
static bool is_asked_once(const Step *s, const Run *run)
{
        return is_forced(s) && !is_claimed(s, run);
}

/* A child that sleeps in the kernel dies after its write, and what it was killed before is bound.
 */
static int tell_killed(const Step *s, Failure *f)
{
        return failure_set(f, FAILURE_FAILED, -EINTR, step_node(s),
                "the process that unbinds %s was killed before it could, perhaps because memory "
                "was short; nothing was unbound, ask again",
                strna(step_get(s, "device")));
}

static int unbind_apply(const Step *s, Run *run, Failure *f)
{
        Watch none = { .kmsg_fd = -EBADF };
        int r;

        if (run_committed(run) && !is_bound(s) && run_recall(run, "unbinding", step_node(s)))
                return unbound_in_earlier_life(s, run, f);
        r = unbind_check(s, run, f);
        if (r == 0)
                r = check_no_ram(s, f);
        if (r == 0)
                r = check_no_pins(s, f);
        if (r < 0)
                return r;
        r = is_forced(s) ? forced(s, run, f) : write_unbind(s, run, &none);
        if (r == -ENODEV)
                return failure_set(f, FAILURE_VANISHED, r, step_node(s),
                        "somebody else unbound %s in the same moment", step_get(s, "device"));
        if (r == -EOWNERDEAD && is_bound(s) && (!run_committed(run) || is_asked_once(s, run)))
                return tell_killed(s, f);
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "the unbind took longer than UnbindTimeout=; it was bound again");
        return r < 0 ? r : confirm_gone(s, f);
}

/* --- the way back --- */

/* After a region was enabled again its namespaces come by themselves, asynchronously. */
static bool comes_by_itself(const Step *s)
{
        for (int i = 0; i < 50; i++) {

                if (disk_exists(s))
                        return true;
                pause_usec(100 * USEC_PER_MSEC);
        }
        return false;
}

static bool device_exists(const Step *s)
{
        char path[128];

        (void)snprintf(
                path, sizeof(path), "/sys/bus/nd/devices/%s", strempty(step_get(s, "device")));
        return access(path, F_OK) == 0 || errno != ENOENT;
}

/* Whoever bound it again, we or its region: if it goes now, it is by somebody else. Where no note
 * has room it is bound all the same. */
static void note_bound(const Step *s, Run *run)
{
        const Record *r = run_recall(run, "unbinding", step_node(s));

        if (r && !record_get(r, "over"))
                (void)run_note(run, "unbinding", step_node(s), "over", "yes", NULL);
}

/* Its card was taken out, or somebody disabled its region: there is nothing to bind. Where we have
 * disabled a region and that could not be undone, the fault is ours. */
static bool is_gone_without_us(const Step *s, const Run *run)
{
        return !device_exists(s) && !run_recall(run, "disabling", NULL);
}

static int unbind_revert(const Step *s, Run *run, Failure *f)
{
        int r;

        restore_console(run);
        (void)vanished_look(run);
        if (is_bound(s)) {
                note_bound(s, run);
                return 0;
        }
        if ((step_get(s, "disk") && disk_exists(s)) || vanished_is(run, step_node(s)))
                return 0;
        r = bind_attach(strempty(step_get(s, "driver")), strempty(step_get(s, "device")));
        if (is_bound(s) || (r < 0 && comes_by_itself(s))) {
                if (is_bound(s))
                        note_bound(s, run);
                return 0;
        }
        if (r < 0 && is_gone_without_us(s, run)) {
                (void)run_note(
                        run, "vanished", step_node(s), "device", step_get(s, "device"), NULL);
                return 0;
        }
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "could not be bound to %s again: %s; try ndctl enable-namespace %s",
                        strna(step_get(s, "driver")), strerror(-r), step_node(s));
        return 0;
}

const StepOps step_unbind = {
        .name = "unbind",
        .title = "unbinding",
        .check = unbind_check,
        .apply = unbind_apply,
        .revert = unbind_revert,
};
