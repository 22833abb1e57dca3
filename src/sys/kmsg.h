/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/cleanup.h"

/* Non-blocking reader of /dev/kmsg that starts after what is there now. */
int kmsg_open(void) _must_check_;
/* One that starts after the first message with this text; -ENOENT when there is none (any more). */
int kmsg_open_after(const char *text) _must_check_;
/* Writes a message of our own into the kernel's log, for kmsg_open_after(). */
int kmsg_write(const char *text);
/* Next message's text (prefix stripped). 1 got one, 0 none now; overruns are skipped. */
int kmsg_next(int fd, char *buf, size_t size) _must_check_;
