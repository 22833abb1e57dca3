/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The D-Bus face: each bus-*.c translates between messages and one kind of object, and decides
 * nothing. */

#include <systemd/sd-bus.h>

#include "manager.h"

extern const sd_bus_vtable bus_manager_vtable[];
extern const sd_bus_vtable bus_device_vtable[];
extern const sd_bus_vtable bus_removal_vtable[];

int bus_manager_add(Manager *m) _must_check_;
int bus_device_add(Manager *m) _must_check_;
int bus_removal_add(Manager *m) _must_check_;
int bus_logcontrol_add(Manager *m) _must_check_;

/* By object path; NULL when there is none. */
Removal *bus_removal_find(const Manager *m, const char *path);

/* Silent without a bus. */
void bus_object_added(Manager *m, const char *path);
/* While the object can still be found. */
void bus_object_removed(Manager *m, const char *path);
void bus_device_changed(Manager *m, const char *path, const char *const *properties);

/* Interface XML of all vtables. */
int bus_introspect(FILE *f) _must_check_;
