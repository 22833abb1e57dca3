/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A JSON writer of the smallest kind. It writes without blanks into memory and trusts its caller
 * about nesting; json_reformat() gives every document, libsmartcols's too, its final shape. It
 * owns the escaping: whatever bytes a name holds, what comes out is valid JSON in UTF-8. */

#include "util/json.h"

#include <inttypes.h>
#include <string.h>

#include "util/utf8.h"

/* JSON lets C1 controls (U+0080 to U+009F) through, and a terminal obeys them. */
static bool is_control(const char *s)
{
        size_t n = 1;
        uint32_t c = utf8_decode(s, &n);

        return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static void quote(FILE *out, const char *s)
{
        fputc('"', out);
        while (*s) {
                size_t n = utf8_length((const unsigned char *)s);

                if (n == 0) {
                        fputs("\\ufffd", out);
                        n = 1;
                } else if (*s == '"' || *s == '\\') {
                        fprintf(out, "\\%c", *s);
                } else if (is_control(s)) {
                        fprintf(out, "\\u%04x", (unsigned)utf8_decode(s, &n));
                } else {
                        fwrite(s, 1, n, out);
                }
                s += n;
        }
        fputc('"', out);
}

static void member(Json *j, const char *key)
{
        if (j->comma)
                fputc(',', j->out);
        j->comma = true;
        if (!key)
                return;
        quote(j->out, key);
        fputc(':', j->out);
}

void json_open(Json *j, const char *key, char bracket)
{
        member(j, key);
        fputc(bracket, j->out);
        j->comma = false;
}

void json_close(Json *j, char bracket)
{
        fputc(bracket, j->out);
        j->comma = true;
}

void json_string(Json *j, const char *key, const char *value)
{
        member(j, key);
        quote(j->out, value);
}

void json_raw(Json *j, const char *key, const char *text)
{
        member(j, key);
        fputs(text, j->out);
}

void json_u64(Json *j, const char *key, uint64_t value)
{
        member(j, key);
        fprintf(j->out, "%" PRIu64, value);
}

static void line_break(FILE *out, bool pretty, unsigned depth)
{
        if (pretty)
                fprintf(out, "\n%*s", (int)depth * 2, "");
}

void json_reformat(FILE *out, const char *text, bool pretty)
{
        bool quoted = false, fresh = false; /* fresh: right behind an opening bracket */
        unsigned depth = 0;

        for (const char *p = text; *p; p++) {
                if (!quoted && strchr(" \t\r\n", *p))
                        continue;
                if (!quoted && strchr("]}", *p)) {
                        depth -= depth > 0;
                        if (!fresh)
                                line_break(out, pretty, depth);
                } else if (fresh) {
                        line_break(out, pretty, depth);
                }
                fresh = false;
                fputc(*p, out);
                if (quoted && *p == '\\' && p[1]) {
                        fputc(*++p, out);
                } else if (*p == '"') {
                        quoted = !quoted;
                } else if (!quoted && strchr("[{", *p)) {
                        depth++;
                        fresh = true;
                } else if (!quoted && *p == ',') {
                        line_break(out, pretty, depth);
                } else if (!quoted && *p == ':' && pretty) {
                        fputc(' ', out);
                }
        }
        fputc('\n', out);
}
