/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "util/cleanup.h"

/* Calls fn for each file that this process has mapped, with the device number of where it really
 * lies; a negative result ends it. */
int self_mapped_files(int (*fn)(dev_t dev, const char *path, void *arg), void *arg) _must_check_;
