/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "removal.h"
#include "util/log.h"

/* Every record about a removal goes through here, so that journalctl PMEMREMOVED_REMOVAL=7 tells
 * its whole story. step and node may be NULL. Silent while history is replayed. */
void removal_log(const Removal *r, int level, const char *message_id, const Step *step,
        const char *node, const char *fmt, ...) _printf_(6, 7);
/* A refused request never becomes a removal; it leaves this record. */
void removal_log_refused(const Request *req, const Failure *blockers, size_t n);
