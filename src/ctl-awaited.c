/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who a removal waits for. The daemon repeats it every few seconds, so a person never sits in front
 * of a silent client (kubectl #172). */

#include "ctl.h"

#define MAX_SHOWN 5

void print_awaited(FILE *out, const Dict *removal, const char *indent)
{
        const Value *awaited = dict_get(removal, "awaited");
        size_t n = value_rows(awaited);

        for (size_t i = 0; i < n && i < MAX_SHOWN; i++) {
                const char *unit = value_cell(awaited, i, AWAITED_UNIT);

                fprintf(out, "%swaiting for %s %s%s%s%s: %s\n", indent,
                        value_cell(awaited, i, AWAITED_PID),
                        value_cell(awaited, i, AWAITED_COMMAND), unit[0] ? " (" : "", unit,
                        unit[0] ? ")" : "", value_cell(awaited, i, AWAITED_USES));
        }
        /* The message knows of more than the list has. */
        if (n > MAX_SHOWN)
                fprintf(out, "%s%s\n", indent, awaited_message(removal));
}

const char *awaited_message(const Dict *removal)
{
        return value_rows(dict_get(removal, "awaited")) > 0
                       ? value_cell(dict_get(removal, "progress"), 0, 1)
                       : "";
}
