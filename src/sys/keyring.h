/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "util/cleanup.h"

/* Secrets in root's own keyring of the kernel: never on a disk or in swap, and they outlive the
 * process that put them there. */
int keyring_put(const char *name, const void *secret, size_t size) _must_check_;
/* How many bytes there are; -ENOKEY, -E2BIG. */
ssize_t keyring_get(const char *name, void *buf, size_t size) _must_check_;
/* 0 also when it is not there. */
int keyring_forget(const char *name);
