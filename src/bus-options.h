/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "policy.h"

/* Reads an a{sv} into a Request. Unknown, repeated or wrongly typed keys are FAILURE_INVALID_OPTION
 * naming the key and what is known: a mistyped "dry-run" must not destroy data. */
int bus_options_parse(sd_bus_message *m, Request *req, Failure *f) _must_check_;

/* The table, for documentation checks: name and D-Bus type; NULL past the end. */
typedef struct BusOptionInfo {
        const char *name;
        const char *type;
} BusOptionInfo;
BusOptionInfo bus_option_info(size_t i);
