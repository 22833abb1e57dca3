/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "util/lines.h"

#include "util/utf8.h"

void lines_end(Lines *l)
{
        char text[LINES_LENGTH_MAX];

        if (l->used == 0)
                return;
        l->text[l->used] = '\0';
        l->used = 0;
        if (l->line)
                l->line(utf8_printable(l->text, text, sizeof(text)), l->userdata);
}

void lines_take(Lines *l, const char *data, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (data[i] == '\n')
                        lines_end(l);
                else if (data[i] && l->used + 1 < sizeof(l->text))
                        l->text[l->used++] = data[i];
}
