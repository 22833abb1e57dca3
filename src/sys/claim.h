/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "util/cleanup.h"

/* Opens a whole disk O_RDONLY|O_EXCL after checking that the node still is device number dev.
 * Success is the proof that no superblock, swap area or stacked device is left anywhere
 * (block/bdev.c bd_may_claim, 6.12); holding it keeps new ones out and does not hinder the unbind.
 * -EBUSY: somebody holds it. -ESTALE: the name means another device. EBUSY is retried for 10 ms. */
int claim_open(const char *devnode, dev_t dev) _must_check_;
