/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "util/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPE_LENGTH 4

/* Code points that no text may hold. The Unicode standard allows them inside a program, D-Bus's
 * specification too, but libsystemd refuses a message that has one (252: src/basic/utf8.c,
 * unichar_is_valid()), so for us they are no UTF-8. */
static bool is_noncharacter(uint32_t c)
{
        return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

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
        if (s[0] >= 0xf8 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                return 0;
        return is_noncharacter(c) ? 0 : n;
}

uint32_t utf8_decode(const char *s, size_t *ret_length)
{
        const unsigned char *u = (const unsigned char *)s;
        size_t n = utf8_length(u);
        uint32_t c = n > 1 ? *u & (0x7fU >> n) : *u;

        if (n == 0)
                return UINT32_MAX;
        for (size_t i = 1; i < n; i++)
                c = c << 6 | (u[i] & 0x3f);
        *ret_length = n;
        return c;
}

/* C1 controls (U+0080 to U+009F) start terminal sequences as well as ESC does. */
bool utf8_is_plain(uint32_t c)
{
        static const struct {
                uint32_t first, last;
        } odd[] = { { 0, 0x1f }, { 0x7f, 0x9f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
                { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
                { 0xe0000, UINT32_MAX } };

        for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
                if (c >= odd[i].first && c <= odd[i].last)
                        return false;
        return true;
}

/* Room for n escapes and a NUL. */
static char *escape(char *out, const char *s, size_t n)
{
        for (; n > 0; n--, s++, out += ESCAPE_LENGTH)
                (void)snprintf(out, ESCAPE_LENGTH + 1, "\\x%02x", (unsigned char)*s);
        return out;
}

const char *utf8_printable(const char *s, char *buf, size_t size)
{
        size_t used = 0;

        while (*s) {
                size_t n = 1;
                bool plain = utf8_is_plain(utf8_decode(s, &n));
                size_t room = plain ? n : n * ESCAPE_LENGTH;

                if (used + room >= size)
                        break;
                if (plain)
                        memcpy(buf + used, s, n);
                else
                        (void)escape(buf + used, s, n);
                used += room;
                s += n;
        }
        buf[used] = '\0';
        return buf;
}

static const char *find_illegal(const char *s)
{
        while (*s) {
                size_t n = utf8_length((const unsigned char *)s);

                if (n == 0)
                        return s;
                s += n;
        }
        return NULL;
}

int utf8_legal(const char *s, char **ret)
{
        const char *bad = find_illegal(s);
        char *out;

        *ret = NULL;
        if (!bad)
                return 0;
        *ret = out = malloc(ESCAPE_LENGTH * strlen(s) + 1);
        if (!out)
                return -ENOMEM;
        for (; bad; bad = find_illegal(s)) {
                out = mempcpy(out, s, (size_t)(bad - s));
                out = escape(out, bad, 1);
                s = bad + 1;
        }
        memcpy(out, s, strlen(s) + 1);
        return 0;
}

/* Its length there, the NUL, and at most as much before it: the length, and what aligns it. */
bool utf8_fits(size_t *left, const char *s)
{
        size_t cost = 16;

        for (size_t n; *s; s += n) {
                n = utf8_length((const unsigned char *)s);
                cost += n > 0 ? n : ESCAPE_LENGTH;
                n = n > 0 ? n : 1;
        }
        if (cost > *left) {
                *left = 0;
                return false;
        }
        *left -= cost;
        return true;
}
