/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "removal.h"

/* All who wait are told the result. */
void removal_wait_answer(Removal *r);
void removal_wait_forget(Removal *r);
