/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After the drain nobody is to dirty the filesystem any more, and before it can be unmounted other
 * things may have to go, a swap area for minutes: its superblock is made read-only where nobody has
 * a file open for writing. Whoever does have one is no failure here but of the unmount, which knows
 * what to do about it. */

#include "step/common.h"
#include "step/readonly.h"
#include "step/sleeper.h"
#include "sys/blkid.h"
#include "sys/child.h"
#include "sys/readonly.h"
#include "util/shell.h"

typedef struct Call {
        const Step *s;
        bool readonly;
} Call;

/* A device number may have gone to another filesystem since the plan: a disk that was unbound and
 * bound takes the lowest that is free, and nobody's read-only one is to become writable. Where that
 * cannot be told apart (no uuid, a number without a device) nothing is done, neither way. */
static int check_filesystem(const Step *s)
{
        const char *uuid = step_get(s, "uuid");
        _cleanup_(freep) char *devnode =
                string_printf("/dev/block/%s", strempty(step_get(s, "dev")));
        BlkidInfo info;
        int r;

        if (!devnode)
                return -ENOMEM;
        r = uuid ? blkid_read(devnode, &info) : -ENOENT;
        if (r == -ENODATA || (r == 0 && !streq(info.uuid, uuid)))
                return -ENOENT;
        return r;
}

static int set_in_child(void *arg)
{
        const Call *c = arg;
        int r = check_filesystem(c->s);

        return r < 0 ? r : superblock_set_readonly(step_get_dev(c->s, "dev"), c->readonly);
}

int readonly_set(const Step *s, bool readonly)
{
        Call c = { .s = s, .readonly = readonly };

        return child_call(set_in_child, &c, step_get_u64(s, "wait"), -EBADF);
}

static int readonly_apply(const Step *s, Run *run, Failure *f)
{
        _cleanup_(child_done) Child child = CHILD_INIT;
        Call c = { .s = s, .readonly = true };
        int r = child_start(&child, true, set_in_child, &c);

        if (r == 0)
                r = sleeper_wait(s, run, &child, f);
        if (r == -ECANCELED)
                return r;
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "making it read-only did not come back; the kernel waits for its storage");
        /* Writers, or it is gone by now, or cannot: the unmount will see. */
        return 0;
}

/* Also where apply never ran: it was writable when the plan was made. */
static int readonly_revert(const Step *s, Run *run, Failure *f)
{
        int r = readonly_set(s, false);
        char word[SHELL_WORD_MAX];

        /* Not mounted: whoever puts a mount back gives it its options. */
        if (r == 0 || r == -ENOENT)
                return 0;
        return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                "it could not be made writable again: %s; try mount -o remount,rw %s", strerror(-r),
                shell_word(strempty(step_get(s, "target")), word, sizeof(word)));
}

const StepOps step_readonly = {
        .name = "readonly",
        .title = "making read-only",
        .apply = readonly_apply,
        .revert = readonly_revert,
};
