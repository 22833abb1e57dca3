/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Units of the machine itself, by name: whoever plans refuses to touch them, and whoever carries a
 * plan out as well, when one of them came since. NULL is none of them. */

#include <stdbool.h>

/* Part of every system, among them those that open a device node for a moment after each event. */
bool unit_is_system(const char *unit);
/* What this program, or whoever would save the machine, cannot do without; a superset of the above.
 */
bool unit_is_rescue(const char *unit);
