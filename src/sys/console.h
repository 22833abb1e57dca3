/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/cleanup.h"

/* The console log level (/proc/sys/kernel/printk). During pre-remove the kernel prints a KERN_ERR
 * line per page and process inside the unbind (mm/memory-failure.c, not rate limited): on a serial
 * console that is minutes with the filesystem frozen. */
int console_level_get(int *ret) _must_check_;
int console_level_set(int level);
