/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who sent a message. */

#include "manager.h"

int bus_sender_creds(
        Manager *m, sd_bus_message *msg, uint64_t mask, sd_bus_creds **ret) _must_check_;
int bus_sender_uid(Manager *m, sd_bus_message *msg, uid_t *ret) _must_check_;
