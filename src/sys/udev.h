/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/cleanup.h"

/* The only user of libudev: events of the subsystems nd, block and dax. */
typedef struct UdevMonitor UdevMonitor;

int udev_monitor_open(UdevMonitor **ret) _must_check_;
UdevMonitor *udev_monitor_free(UdevMonitor *m);
DEFINE_CLEANUP(UdevMonitor *, udev_monitor_free);
int udev_monitor_fd(UdevMonitor *m);

typedef struct UdevEvent {
        char action[16];
        char subsystem[16];
        char sysname[64];
} UdevEvent;

/* 1 got one, 0 none now. Only devices that are persistent memory or stand on it are of interest to
 * callers; filtering is theirs. */
int udev_monitor_next(UdevMonitor *m, UdevEvent *ret) _must_check_;
