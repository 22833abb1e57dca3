/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the well-formed UTF-8 sequence at s, 0 when there is none. */
size_t utf8_length(const unsigned char *s);
/* The character at s, *ret_length bytes long. UINT32_MAX: no UTF-8. */
uint32_t utf8_decode(const char *s, size_t *ret_length);
/* Nothing that moves the cursor, starts a line, or turns the direction of what follows. */
bool utf8_is_plain(uint32_t c);
/* Text of others, fit for a terminal, the journal and D-Bus: characters that are not plain and
 * bytes that are no UTF-8 become \xHH, and what has no room is cut between characters. */
const char *utf8_printable(const char *s, char *buf, size_t size);
/* Text of others, fit for D-Bus and otherwise as it is: only bytes that are no UTF-8 become \xHH.
 * *ret stays NULL when s is fit already. */
int utf8_legal(const char *s, char **ret) __attribute__((warn_unused_result));
/* Takes what s needs in a message off *left, or leaves nothing and says no: what does not fit ends
 * a list. */
bool utf8_fits(size_t *left, const char *s);
