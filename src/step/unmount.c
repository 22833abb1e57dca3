/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One mount, in its own mount namespace. Never lazy: a lazily detached mount is out of sight and
 * still holds the device. */

#include <sys/stat.h>

#include "plan.h"
#include "step/common.h"
#include "step/readonly.h"
#include "step/sleeper.h"
#include "sys/bind.h"
#include "sys/blkid.h"

/* Somebody else who has it mounted during the way back. */
#define OTHERS_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define ALONE_USEC USEC_PER_SEC

static int is_busy(const Step *s, Run *run, const MountPlace *place, Failure *f)
{
        char names[512] = "";

        if (streq(place->target, "/"))
                return failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s),
                        "it is the root of a mount namespace (lsns shows it as %s) and goes with "
                        "it only; end who holds that and ask again",
                        strempty(step_get(s, "ns")));
        /* Who it is matters when nothing else can be tried; the next rung does not need the names
         * and the scan would only cost time. */
        if (!run_can_climb(run))
                step_name_holders(run, step_get(s, "dev"), names, sizeof(names));
        return failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s), "it is still in use%s%s%s",
                *names ? " by " : "", names,
                *names ? "; stop them and ask again"
                       : "; no process shows it: look for loop devices, swap files, NFS exports "
                         "and "
                         "other mounts on it");
}

/* The driver link is the first thing to go in an unbind (__device_release_driver(),
 * drivers/base/dd.c), long before the disk. */
static bool is_taken_away(const Step *s)
{
        char driver[64];

        return step_get(s, "device") &&
               bind_driver(step_get(s, "device"), driver, sizeof(driver)) == -ENOENT;
}

static int unmount_apply(const Step *s, Run *run, Failure *f)
{
        _cleanup_(child_done) Child child = CHILD_INIT;
        MountPlace place;
        int r;

        /* Unmounting a DAX filesystem whose memory was taken away under it oopses where the kernel
         * had not warned it (dax_disassociate_entry(), fs/dax.c, 6.1 and 6.12); bound again it does
         * not. Whoever unbound it has to decide. */
        if (is_taken_away(s))
                return failure_set(f, FAILURE_VANISHED, -ENODEV, step_node(s),
                        "somebody else unbound %s under it; bind it again before it is unmounted "
                        "(ndctl "
                        "disable-namespace, then enable-namespace)",
                        step_get(s, "device"));
        step_place(s, &place);
        r = mounts_umount_start(&place, &child);
        if (r == 0)
                r = sleeper_wait(s, run, &child, f);
        if (r == -ENOENT)
                return 0;
        /* The rung before has unmounted it, and what is seen there now was below it. */
        if (r == -ESTALE && run_has_climbed(run) && mounts_present(&place) == 0)
                return 0;
        if (r == -EBUSY)
                return is_busy(s, run, &place, f);
        if (r == -ESTALE)
                return failure_set(f, FAILURE_VANISHED, r, step_node(s),
                        "something else is mounted there now; look at it and ask again");
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "umount did not come back in time; the kernel waits for its storage or for "
                        "pages in use");
        return r;
}

/* The name may mean another device by now, so its filesystem is compared. */
static int check_source(const Step *s, Failure *f)
{
        const char *uuid = step_get(s, "uuid"), *source = strempty(step_get(s, "source"));
        BlkidInfo info;
        int r;

        /* An overlay has no device. */
        if (!uuid || *source != '/')
                return 0;
        r = blkid_ask(source, &info);
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "cannot be mounted again: %s cannot be read (%s)", source, strerror(-r));
        if (!streq(info.uuid, uuid))
                return failure_set(f, FAILURE_ROLLBACK_FAILED, -ESTALE, step_node(s),
                        "is not mounted again: %s now holds another filesystem (UUID %s, was %s)",
                        source, info.uuid, uuid);
        return 0;
}

/* What is mounted there now says the filesystem's options as they were, or nothing is known. */
static bool has_options(const Step *s, const MountPlace *place)
{
        const char *wanted = step_get(s, "fs-options");
        _cleanup_(mount_list_done) MountList l = { 0 };
        const Mount *last = NULL;

        if (!wanted || mounts_read(place->ns_pid, &l) < 0)
                return true;
        for (size_t i = 0; i < l.n; i++)
                if (l.items[i].ns == place->ns && streq(l.items[i].target, place->target))
                        last = l.items + i;
        return !last || !last->fs_options || streq(last->fs_options, wanted);
}

static bool is_writable(const Step *s)
{
        const char *options = step_get(s, "fs-options");

        return options && strncmp(options, "rw", 2) == 0 && (!options[2] || options[2] == ',');
}

/* The options are the superblock's: while somebody else has the filesystem mounted, a mount gets
 * his and nobody complains (get_tree_bdev(), fs/super.c, 6.12). Unmounted and tried again until he
 * is gone. */
static int put_back(const Step *s, MountPlace *place)
{
        const MountPlace top = {
                .ns_pid = place->ns_pid, .ns = place->ns, .target = place->target
        };
        uint64_t deadline = usec_add(now_usec(), OTHERS_TIMEOUT_USEC);
        bool readonly = is_writable(s); /* may be, by our own doing */
        int r;

        for (;;) {
                r = mounts_place(place, strempty(step_get(s, "source")),
                        strempty(step_get(s, "root")), strempty(step_get(s, "fstype")),
                        strempty(step_get(s, "options")), strempty(step_get(s, "fs-options")),
                        step_get_u64(s, "wait"));
                /* The readonly step is undone after this one, but the kernel mounts nothing
                 * writable while another mount keeps the superblock read-only (get_tree_bdev()
                 * again). */
                if (r == -EBUSY && readonly) {
                        readonly = false;
                        if (readonly_set(s, false) == 0)
                                continue;
                }
                if ((r < 0 && r != -EBUSY) || (r == 0 && has_options(s, place)))
                        return r;
                if (now_usec() >= deadline)
                        return r < 0 ? r : -EUCLEAN;
                if (r == 0)
                        r = mounts_umount(&top, false, step_get_u64(s, "wait"), -EBADF);
                if (r < 0 && r != -EBUSY && r != -ENOENT)
                        return r;
                place->alone_usec = ALONE_USEC;
        }
}

static int unmount_revert(const Step *s, Run *run, Failure *f)
{
        MountPlace place;
        int r;

        step_place(s, &place);
        /* This very mount, not one like it: then the unmount did not happen. */
        if (mounts_present(&place) > 0)
                return 0;
        r = check_source(s, f);
        if (r < 0)
                return r;
        /* A disk that was unbound and bound again has another device number; it is the same one if
         * it holds the same filesystem. */
        if (step_get(s, "uuid"))
                place.dev = 0;
        r = put_back(s, &place);
        /* The mount namespace went with who held it: nobody is there to miss the mount. */
        if (r == -ESRCH)
                return 0;
        if (r == -EUCLEAN)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "is mounted again, but with other options than %s: somebody else has the "
                        "filesystem mounted; unmount all of it and mount it anew",
                        strempty(step_get(s, "fs-options")));
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "cannot be mounted again from %s: %s", strempty(step_get(s, "source")),
                        strerror(-r));
        return 0;
}

const StepOps step_unmount = {
        .name = "unmount",
        .title = "unmounting",
        .apply = unmount_apply,
        .revert = unmount_revert,
};
