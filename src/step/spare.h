/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Services that let go of the memory when they were told of the removal, and live on. */

#include "step/step.h"

/* Moves to *ret those of these units that still are to be stopped. What is unknown is. */
int units_without_spared(Run *run, const Step *s, char *const *units, char ***ret) _must_check_;
