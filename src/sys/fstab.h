/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What /etc/fstab says about a mount point. */

#include "util/cleanup.h"

#define FSTAB "/etc/fstab"

/* 1 when a boot waits for what this file mounts there, and fails without it; 0, negative errno. */
int fstab_waits(const char *file, const char *target) _must_check_;
