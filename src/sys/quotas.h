/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/cleanup.h"

/* Which quotas quotaon(8) has turned on: "user", "user, group". Those that live in the filesystem
 * itself, and come on with every mount, do not count. -ENOENT: none; -ETIMEDOUT. */
int quota_turned_on(const char *devnode, char buf[static 64]) _must_check_;
