/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "step/step.h"

/* The superblock with the step's device number (key dev), as long as the step's wait= allows.
 * -ENOENT when it is mounted nowhere; -ETIMEDOUT. */
int readonly_set(const Step *s, bool readonly) _must_check_;
