/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads JSON as strictly as RFC 8259 has it, to see that what was written is some. */

#include <ctype.h>

#include "fuzz.h"
#include "util/utf8.h"

/* Nothing we write is that deep. */
#define DEPTH_MAX 200

static const char *take_value(const char *p, unsigned depth);

static const char *skip_blanks(const char *p)
{
        return p + strspn(p, " \t\r\n");
}

static const char *take_escape(const char *p)
{
        fuzz_assert(*p && strchr("\"\\/bfnrtu", *p));
        if (*p != 'u')
                return p + 1;
        fuzz_assert(strspn(p + 1, "0123456789abcdefABCDEF") >= 4);
        return p + 5;
}

static const char *take_string(const char *p)
{
        fuzz_assert(*p == '"');
        for (p++; *p != '"';) {
                size_t n = utf8_length((const unsigned char *)p);

                fuzz_assert(n > 0 && (unsigned char)*p >= 0x20);
                p = *p == '\\' ? take_escape(p + 1) : p + n;
        }
        return p + 1;
}

static const char *take_number(const char *p)
{
        p += *p == '-';
        fuzz_assert(isdigit((unsigned char)*p) && !(*p == '0' && isdigit((unsigned char)p[1])));
        p += strspn(p, "0123456789");
        fuzz_assert(*p != '.' && *p != 'e' && *p != 'E'); /* only whole numbers are written */
        return p;
}

/* Members or elements up to the closing bracket. */
static const char *take_list(const char *p, char close, unsigned depth)
{
        p = skip_blanks(p + 1);
        if (*p == close)
                return p + 1;
        for (;;) {
                if (close == '}') {
                        p = skip_blanks(take_string(skip_blanks(p)));
                        fuzz_assert(*p == ':');
                        p++;
                }
                p = skip_blanks(take_value(p, depth + 1));
                if (*p == close)
                        return p + 1;
                fuzz_assert(*p == ',');
                p++;
        }
}

static const char *take_word(const char *p)
{
        static const char *const words[] = { "true", "false", "null" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strncmp(p, words[i], strlen(words[i])) == 0)
                        return p + strlen(words[i]);
        return take_number(p);
}

static const char *take_value(const char *p, unsigned depth)
{
        p = skip_blanks(p);
        fuzz_assert(depth < DEPTH_MAX);
        switch (*p) {
        case '{':
                return take_list(p, '}', depth);
        case '[':
                return take_list(p, ']', depth);
        case '"':
                return take_string(p);
        default:
                return take_word(p);
        }
}

void fuzz_assert_json(const char *s)
{
        fuzz_assert(*skip_blanks(take_value(s, 0)) == '\0');
}
