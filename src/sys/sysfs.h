/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "util/text.h"

/* One attribute without its trailing newline. Negative errno, -ENOBUFS if it does not fit. */
int sysfs_read(const char *dir, const char *attribute, char *buf, size_t size) _must_check_;
int sysfs_read_u64(const char *dir, const char *attribute, uint64_t *ret) _must_check_;
int sysfs_write(const char *path, const char *value) _must_check_;
/* Last component of a symlink: the driver of a device, its subsystem. -ENOENT if there is none. */
int sysfs_link_name(const char *dir, const char *link, char *buf, size_t size) _must_check_;
int sysfs_devnum(const char *dir, dev_t *ret) _must_check_;
/* Names in a directory, without dot entries, sorted. */
int sysfs_list(const char *dir, char ***ret) _must_check_;
/* Paths that match a shell pattern, sorted; none is no error. For trees of known shape whose names
 * are free, as those of configfs. */
int sysfs_glob(const char *pattern, char ***ret) _must_check_;
