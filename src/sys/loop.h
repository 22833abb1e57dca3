/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Loop devices, by name ("loop0"). Everything but loop_read() may sleep on the backing file: in a
 * child only. */

#include <stdbool.h>

#include "util/text.h"

typedef struct LoopConfig {
        char file[4096 + 16]; /* as the kernel sees it from our root */
        bool deleted;
        uint64_t offset;
        uint64_t sizelimit;
        uint64_t block_size;
        bool read_only;
        bool partscan;
        bool autoclear;
        bool direct_io;
} LoopConfig;

/* From sysfs: LOOP_GET_STATUS64 asks the backing file for its attributes (drivers/block/loop.c,
 * loop_get_status()), and would hang on a dead server. -ENOENT: not set up. */
int loop_read(const char *name, LoopConfig *ret) _must_check_;

/* Does this path lead to the file that the device is on? 1, 0, negative errno. */
int loop_is_on(const char *name, const char *path) _must_check_;

/* LOOP_CLR_FD, if nobody holds it exclusively: -EBUSY. It is gone only when the last opener has
 * closed it; until then it is merely marked autoclear (6.1: loop_clr_fd(), since 6.10 always at the
 * last close). -ESTALE: another device number. */
int loop_clear(const char *name, dev_t dev) _must_check_;
/* Takes the mark away again. -ENXIO: it is gone. */
int loop_keep(const char *name) _must_check_;

/* Opens the device, which need not be set up, and makes it if it does not exist. A descriptor:
 * while it is open an autoclear device without other users stays. */
int loop_open(const char *name) _must_check_;
/* LOOP_CONFIGURE: all at once, so there is no moment at which it shows something else. */
int loop_configure(int fd, const LoopConfig *c) _must_check_;
