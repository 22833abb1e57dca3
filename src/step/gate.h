/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "step/step.h"

/* Unmasks the mount unit (key unit) if this removal masked it. Idempotent. */
int gate_open(const Step *s, Run *run, Failure *f) _must_check_;
