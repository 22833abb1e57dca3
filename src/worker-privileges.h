/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan.h"

/* Capabilities that carrying out and taking back this plan needs beyond PRIVILEGES_WORKER. */
uint64_t worker_privileges(const Plan *p);
