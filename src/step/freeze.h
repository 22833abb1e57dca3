/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "step/step.h"

/* Is it frozen by this process, and guarded? A worker that was stopped for long (SIGSTOP, no
 * memory, a suspended machine) finds it thawed behind its back. */
bool freeze_held(const Run *run, const char *filesystem);
int freeze_check(const Run *run, const char *filesystem, Failure *f) _must_check_;

/* After the unbind: makes sure the filesystem is thawed, by the descriptor opened before the
 * freeze, and lets the guardian go. Nothing to do when this process holds none. */
int freeze_release(Run *run, const char *filesystem, Failure *f) _must_check_;

/* The same in a life after that, when the worker that froze it is dead and the guardian may be as
 * well: by its mount, as far as that opens, before it is detached. */
void freeze_release_late(Run *run, const char *filesystem);

/* No life could do that: what is on this disk stays frozen, and the disk with it. */
bool freeze_outlived(const Run *run, const char *disk) _must_check_;
