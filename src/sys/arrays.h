/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The md arrays of the machine, whatever they stand on: does one lack a disk? */

#include <stddef.h>

#include "sys/probes.h"

/* YES: every array that has redundancy is whole. Else buf is half a sentence about the first that
 * is not, or about which nobody knows; one that surely is not comes before the unknown. classes:
 * "/sys/class/block". */
Answer arrays_whole(const char *classes, char *buf, size_t size);
