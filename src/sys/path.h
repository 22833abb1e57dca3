/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "util/cleanup.h"

/* What a path that somebody wrote down once means now: st_dev, and st_rdev where it is a block
 * device (else 0). Links are followed. The path may lead anywhere, also to a server that is dead,
 * so a child asks and is given two seconds: -ETIMEDOUT. -ENOENT and what else stat(2) says. */
int path_numbers(const char *path, dev_t *ret_dev, dev_t *ret_block) _must_check_;
