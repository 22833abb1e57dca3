/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "removal.h"

/* What the ledger's words mean for a removal: fills its members, and answers with the event that
 * the word stands for, _EVENT_INVALID for one that moves nothing. */
RemovalEvent removal_take(Removal *r, const Record *rec);
/* Everything that removal_take() has filled, as new. */
void removal_forget(Removal *r);
/* Which properties such a word changes, for the bus; NULL-terminated. */
const char *const *removal_record_properties(const char *verb);
/* False for the few words that a worker says before it can write its ledger. */
bool removal_record_in_ledger(const char *verb);
