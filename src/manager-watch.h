/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "manager.h"

/* Watches for devices and mounts that come and go, and has the device table made anew; now: at once
 * for the first time, else when it is kicked. */
int watch_start(Manager *m, bool now, Watch **ret) _must_check_;
Watch *watch_free(Watch *w);
/* Something changed; the table follows soon. NULL is fine. */
void watch_kick(Watch *w);
/* Something went that nobody told us of: without the pause that snapshots make otherwise. */
void watch_hurry(Watch *w);
