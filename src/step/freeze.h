/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "step/step.h"

/* After the unbind: makes sure the filesystem is thawed, by the descriptor opened before the
 * freeze, and lets the guardian go. Nothing to do when this process holds none. */
int freeze_release(Run *run, const char *filesystem, Failure *f) _must_check_;
