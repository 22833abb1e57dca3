/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon says on the bus of its own accord. Nothing here fails: a signal that cannot be
 * sent is lost, the removal goes on. Silent without a bus and while history is replayed. */

#include "removal.h"

void bus_signal_new(const Removal *r);
/* The late answer to who asked and waits for it; type is "s" or "o". Tried again when there is no
 * memory for it: libsystemd answers by itself only what a method handler returns. */
void bus_answer(sd_bus_message *m, const char *type, const char *text);
void bus_answer_error(sd_bus_message *m, int r, const sd_bus_error *e);
void bus_signal_finished(const Removal *r);
/* One per device of the closure: a listener cares for its device, not for the caller's word. */
void bus_signal_prepare(const Removal *r, bool start);
void bus_signal_killed(const Removal *r, const RemovalKilled *k);
void bus_signal_changed(const Removal *r, const char *const *properties);
void bus_signal_device_removed(Manager *m, const char *path, const char *how);
/* The property Removal of each device of the closure. */
void bus_signal_device_removal(const Removal *r);
void bus_signal_pre_remove(Manager *m);
/* How many inhibitors there are, and what they are about. */
void bus_signal_inhibitors(Manager *m);
/* To whoever waits for polkit's answer: the daemon stops (bus-authorize.c). */
void bus_authorize_abort_all(Manager *m);
