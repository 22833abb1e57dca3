/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "util/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t utf8_length(const unsigned char *s)
{
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
        uint32_t c = n > 1 ? s[0] & (0x7fU >> n) : s[0];

        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3f);
        }
        return s[0] >= 0xf8 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

/* C1 controls, U+0080 to U+009F, are two bytes: a terminal may obey them as well. */
static int is_control(const unsigned char *s)
{
        return *s < 0x20 || *s == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

const char *utf8_printable(const char *s, char *buf, size_t size)
{
        size_t used = 0;

        while (*s) {
                const unsigned char *u = (const unsigned char *)s;
                size_t n = utf8_length(u);
                char escape[5];

                if (n == 0 || is_control(u)) {
                        (void)snprintf(escape, sizeof(escape), "\\x%02x", *u);
                        if (used + 4 >= size)
                                break;
                        memcpy(buf + used, escape, 4);
                        used += 4;
                        s++;
                        continue;
                }
                if (used + n >= size)
                        break;
                memcpy(buf + used, s, n);
                used += n;
                s += n;
        }
        buf[used] = '\0';
        return buf;
}
