/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One record to journald, and never a wait for it. */

#include "util/cleanup.h"

/* "KEY=value" each; a value may have several lines. No more than JOURNAL_FIELDS_MAX are sent.
 * -EAGAIN: journald takes nothing at the moment; other errors: it is not there. */
#define JOURNAL_FIELDS_MAX 64
int journal_send(const char *const *fields, size_t n) _must_check_;
