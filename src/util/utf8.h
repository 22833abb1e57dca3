/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Length of the well-formed UTF-8 sequence at s, 0 when there is none. */
size_t utf8_length(const unsigned char *s);
/* Text of others, fit for a terminal, the journal and D-Bus: control characters and bytes that are
 * no UTF-8 become \xHH, and what has no room is cut between characters. */
const char *utf8_printable(const char *s, char *buf, size_t size);
