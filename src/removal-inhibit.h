/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between the announcement of a removal and its first act: waiting for those who asked for time. */

#include "removal.h"

/* The worker has announced it and waits. */
void removal_delay_begin(Removal *r);
/* Who is still awaited? Tells the worker to go on when nobody is. */
void removal_delay_look(Removal *r);
/* The worker waits no longer. */
void removal_delay_over(Removal *r, bool timed_out);
/* CLOCK_REALTIME of when it goes on at the latest, or is undone, 0: no limit. */
uint64_t removal_delay_deadline(const Removal *r);

/* Names in the journal whose veto is set aside. */
void removal_log_ignored(const Removal *r);
