/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/cleanup.h"

/* SHA-256 as 64 lower-case hex digits and NUL; the only user of libgcrypt. */
#define DIGEST_MAX 65
void digest_hex(const void *data, size_t size, char ret[static DIGEST_MAX]);
