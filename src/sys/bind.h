/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/cleanup.h"

/* Driver attachment of devices on the nd bus (/sys/bus/nd). The unbind write cannot fail once the
 * driver took it, cannot be cancelled, and sleeps uninterruptibly for as long as the kernel needs
 * (drivers/base/bus.c unbind_store, 6.12): call it in a sacrificial child only.
 * -ENODEV: not bound to that driver. */
int bind_detach(const char *driver, const char *device) _must_check_;
int bind_attach(const char *driver, const char *device) _must_check_;
/* Name of the driver bound to an nd device, -ENOENT if none. The link goes *before* the unbind is
 * complete (dd.c driver_sysfs_remove): its absence is no proof of an end. */
int bind_driver(const char *device, char *buf, size_t size) _must_check_;

/* The same on the dax bus (/sys/bus/dax), whose devices sit on those of the nd bus that dax_pmem
 * has. Leaving kmem under online memory reports success and loses the memory until the next reboot
 * (kernel-facts 2.5). */
int bind_dax_detach(const char *driver, const char *device) _must_check_;
int bind_dax_attach(const char *driver, const char *device) _must_check_;
int bind_dax_driver(const char *device, char *buf, size_t size) _must_check_;
