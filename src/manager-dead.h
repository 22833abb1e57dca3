/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* CleanDeadMounts=: the mounts of filesystems whose memory vanished. */

#include "manager.h"

typedef struct Dead Dead;

/* This namespace has vanished; what is mounted from it is to be unmounted. Nothing happens where
 * the configuration does not ask for it. */
void dead_note(Manager *m, const Device *d);
/* Is it time for some of them? After each snapshot, and when a removal has ended. */
void dead_look(Manager *m);
void dead_free_all(Manager *m);
