/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "failure.h"

/* The failure as a D-Bus error; returns a negative errno. */
int bus_error_set(sd_bus_error *e, const Failure *f);
/* All blockers in one message, under the name of the first. */
int bus_error_set_blockers(sd_bus_error *e, const Failure *blockers, size_t n);
/* Lets libsystemd translate our error names to errno; once per process, in clients too. */
int bus_error_register(void) _must_check_;
