/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The service manager's address and folders, for sys/units-*.c; nobody else includes it. */

#include <systemd/sd-bus.h>

#include "util/text.h"

#define MANAGER_SERVICE "org.freedesktop.systemd1"
#define MANAGER MANAGER_SERVICE, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"

/* Where unit files are, up to NULL. */
extern const char *const unit_folders[];

/* A connection of its own, as each child needs one: that of another process cannot be used. */
int units_open_bus(uint64_t timeout_usec, sd_bus **ret) _must_check_;
/* Where the manager has this unit; asking there loads it. -ENOMEM. */
int units_object(const char *name, char **ret) _must_check_;
