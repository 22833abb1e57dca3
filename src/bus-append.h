/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one door out for text: what is put into a message goes through here. */

#include <systemd/sd-bus.h>

#include "util/cleanup.h"

/* Types as in D-Bus signatures: s, o, b, u, i, t, and these in round or curly brackets. */
int bus_append(sd_bus_message *m, const char *types, ...) _must_check_;
int bus_append_strv(sd_bus_message *m, char *const *l) _must_check_;
/* An entry of an a{sv}: a key and a text. */
int bus_append_detail(sd_bus_message *m, const char *key, const char *text) _must_check_;
