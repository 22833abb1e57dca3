/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "manager.h"

/* logind's half of a removal: its locks against shutdown and sleep while something runs, and what
 * it announces. Nothing here is waited for, and a machine without logind is served all the same. */
int shutdown_watch(Manager *m, Shutdown **ret) _must_check_;
Shutdown *shutdown_free(Shutdown *s);
/* Takes or lets go of the locks, by what runs now. NULL is fine. */
void shutdown_update(Shutdown *s);
/* Why no removal may begin now, a sentence; NULL: it may. */
const char *shutdown_refuses(const Shutdown *s);

/* Which locks the removals that are under way ask for, SHUTDOWN_LOCK_* bits. */
typedef enum ShutdownLock {
        SHUTDOWN_LOCK_DELAY,
        SHUTDOWN_LOCK_BLOCK,
        _SHUTDOWN_LOCK_MAX
} ShutdownLock;
unsigned shutdown_locks_wanted(const Manager *m);
