/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who a removal waits for at this moment. */

#include "removal.h"

void removal_awaited_clear(Removal *r);
/* The worker's "awaited": its text becomes the progress, and the journal is told. */
void removal_awaited_take(Removal *r, const Record *rec);
