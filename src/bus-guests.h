/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Places for the questions of others than root. */

#include "manager.h"

int bus_guest_enter(Manager *m, uid_t uid, Failure *f) _must_check_;
void bus_guest_leave(Manager *m, uid_t uid);
