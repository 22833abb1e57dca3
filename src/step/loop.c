/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Detaches one loop device from its file. The kernel does that when the last opener has closed it,
 * so the step ends when sysfs says so. Taken back by setting it up again under its number. */

#include <poll.h>

#include "step/common.h"
#include "sys/child.h"
#include "sys/loop.h"
#include "util/shell.h"

#define LOOK_MS 10

static bool is_same(const Step *s, const LoopConfig *c)
{
        return streq(c->file, strempty(step_get(s, "file"))) &&
               c->offset == step_get_u64(s, "offset");
}

/* 1 when it is set up as the plan says, 0 when it is not set up. */
static int look(const Step *s, LoopConfig *c, FailureKind kind, Failure *f)
{
        int r = loop_read(step_node(s), c);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return is_same(s, c)
                       ? 1
                       : failure_set(f, kind, -ESTALE, step_node(s),
                                 "it is on another file by now (%s); look at it and ask again",
                                 c->file);
}

static int clear_child(void *arg)
{
        return loop_clear(step_node(arg), step_get_dev(arg, "dev"));
}

static int is_busy(const Step *s, Failure *f)
{
        return failure_set(f, FAILURE_BUSY, -EBUSY, step_node(s),
                "somebody has it open or mounted; see lsof /dev/%s and /sys/block/%s/holders, "
                "release it and ask again",
                step_node(s), step_node(s));
}

/* udev looks at every device for a moment after each event. */
static int wait_gone(const Step *s, Run *run, Failure *f)
{
        uint64_t deadline = usec_add(now_usec(), step_get_u64(s, "wait"));
        LoopConfig c;
        int r;

        while ((r = look(s, &c, FAILURE_VANISHED, f)) == 1) {
                struct pollfd p = { .fd = run_cancel_fd(run), .events = POLLIN };

                r = run_check_cancel(run, f);
                if (r < 0)
                        return r;
                if (now_usec() >= deadline)
                        return is_busy(s, f);
                run_progress(run, s, "waiting for whoever has it open");
                (void)poll(&p, 1, LOOK_MS);
        }
        return r;
}

static int loop_apply(const Step *s, Run *run, Failure *f)
{
        LoopConfig c;
        int r = look(s, &c, FAILURE_VANISHED, f);

        /* One that was made for a mount goes with it. */
        if (r <= 0)
                return r;
        r = step_call(s, run, clear_child, f);
        if (r == -EBUSY)
                return is_busy(s, f);
        if (r == -ESTALE)
                return failure_set(f, FAILURE_VANISHED, r, step_node(s),
                        "it is another device by now; look at it and ask again");
        return r < 0 && r != -ENOENT && r != -ENXIO ? r : wait_gone(s, run, f);
}

static bool has(const Step *s, const char *key)
{
        const char *text = step_get(s, key);

        return text && streq(text, "yes");
}

static int keep_child(void *arg)
{
        return loop_keep(step_node(arg));
}

typedef struct Setup {
        int fd;
        LoopConfig config;
} Setup;

static int configure_child(void *arg)
{
        const Setup *setup = arg;

        return loop_configure(setup->fd, &setup->config);
}

static void get_config(const Step *s, LoopConfig *c)
{
        *c = (LoopConfig){
                .offset = step_get_u64(s, "offset"),
                .sizelimit = step_get_u64(s, "sizelimit"),
                .block_size = step_get_u64(s, "block-size"),
                .read_only = has(s, "read-only"),
                .partscan = has(s, "partscan"),
                .autoclear = has(s, "autoclear"),
                .direct_io = has(s, "direct-io"),
        };
        (void)snprintf(c->file, sizeof(c->file), "%s", strempty(step_get(s, "file")));
}

static int set_up(const Step *s, Run *run)
{
        _cleanup_(closep) int fd = loop_open(step_node(s));
        Setup setup = { .fd = fd };
        int r;

        if (fd < 0)
                return fd;
        get_config(s, &setup.config);
        r = child_call(configure_child, &setup, step_get_u64(s, "wait"), -EBADF);
        if (r < 0 || !setup.config.autoclear)
                return r;
        /* It would be gone at our close, before the mount that it was made for is back. */
        r = run_hold(run, "loop", step_node(s), fd);
        if (r == 0)
                (void)TAKE_FD(fd);
        return r;
}

/* Interrupted, it is still there and perhaps marked to go at the last close. */
static int keep(const Step *s, const LoopConfig *c)
{
        int r = 0;

        if (c->autoclear && !has(s, "autoclear"))
                r = child_call(keep_child, (void *)s, step_get_u64(s, "wait"), -EBADF);
        return r;
}

static int loop_revert(const Step *s, Run *run, Failure *f)
{
        LoopConfig c;
        char word[SHELL_WORD_MAX];
        int r = look(s, &c, FAILURE_ROLLBACK_FAILED, f);

        if (r == 1) {
                r = keep(s, &c);
                if (r != -ENXIO)
                        return r;
                r = 0; /* gone between two looks */
        }
        if (r == 0)
                r = set_up(s, run);
        if (r < 0 && f->kind == FAILURE_NONE)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "could not be set up again on %s: %s; try losetup /dev/%s %s",
                        strempty(step_get(s, "file")), strerror(-r), step_node(s),
                        shell_word(strempty(step_get(s, "file")), word, sizeof(word)));
        return r;
}

const StepOps step_loop = {
        .name = "loop",
        .title = "detaching",
        .apply = loop_apply,
        .revert = loop_revert,
};
