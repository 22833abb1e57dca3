/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

/* A child nobody waits for any more is still reaped: its source stays behind without an owner. The
 * callback of such a source must begin with "if (!userdata) return reap_done(s);". */
void reap_later(sd_event_source *s);
int reap_done(sd_event_source *s);
/* Kills a child that was begun just now and cannot be watched, because descriptors or memory are
 * out; nobody else would ever reap it. Waits for a second at most. */
void reap_unwatched(pid_t pid);
