/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of others in commands that messages advise. A mount point may be called anything, also by a
 * user in a namespace of his own, and who reads the advice is root. $'' is what bash, ksh, zsh and
 * POSIX.1-2024 have for bytes that cannot be shown. */

#include "util/shell.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

#define BLANKS " \t\n"
#define CUT "..."
/* \ooo, and the quotes that may have to be closed and opened around a character. */
#define PIECE_MAX (4 * 4 + 4)

/* How it is said where there are quotes already: '' or $''. */
typedef size_t (*Piece)(const char *s, size_t n, char piece[static PIECE_MAX]);

static size_t piece_in_quotes(const char *s, size_t n, char piece[static PIECE_MAX])
{
        if (*s == '\'')
                return (size_t)snprintf(piece, PIECE_MAX, "'\\''");
        memcpy(piece, s, n);
        return n;
}

static size_t piece_escaped(const char *s, size_t n, char piece[static PIECE_MAX])
{
        size_t used = 0;

        if (*s == '\'' || *s == '\\')
                return (size_t)snprintf(piece, PIECE_MAX, "\\%c", *s);
        if (utf8_is_plain(utf8_decode(s, &n))) {
                memcpy(piece, s, n);
                return n;
        }
        for (size_t i = 0; i < n; i++)
                used += (size_t)snprintf(
                        piece + used, PIECE_MAX - used, "\\%03o", (unsigned char)s[i]);
        return used;
}

static bool is_bare(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!isascii(s[i]) ||
                        (!isalnum((unsigned char)s[i]) && !strchr("/._-+:,@%=", s[i])))
                        return false;
        return n > 0;
}

static bool is_plain(const char *s, size_t size)
{
        for (size_t i = 0, n; i < size; i += n) {
                n = 1;
                if (!utf8_is_plain(utf8_decode(s + i, &n)))
                        return false;
        }
        return true;
}

/* s in quotes; what does not fit is left out. */
static void quote(const char *s, size_t size, const char *open, Piece say, char *buf, size_t room)
{
        size_t used, n;
        char piece[PIECE_MAX];
        bool cut = room < sizeof("$'" CUT "'");

        if (cut) {
                (void)snprintf(buf, room, CUT);
                return;
        }
        used = (size_t)snprintf(buf, room, "%s", open);
        for (size_t i = 0, l; i < size; i += n, used += l) {
                n = 1;
                (void)utf8_decode(s + i, &n);
                l = say(s + i, n, piece);
                cut = used + l + sizeof("'" CUT) > room;
                if (cut)
                        break;
                memcpy(buf + used, piece, l);
        }
        (void)snprintf(buf + used, room - used, "'%s", cut ? CUT : "");
}

static void word(const char *s, size_t n, char *buf, size_t size)
{
        if (is_bare(s, n) && n < size)
                (void)snprintf(buf, size, "%.*s", (int)n, s);
        else if (is_plain(s, n))
                quote(s, n, "'", piece_in_quotes, buf, size);
        else
                quote(s, n, "$'", piece_escaped, buf, size);
}

const char *shell_word(const char *s, char *buf, size_t size)
{
        word(s, strlen(s), buf, size);
        return buf;
}

const char *shell_words(const char *s, char *buf, size_t size)
{
        size_t used = 0;

        *buf = '\0';
        for (s += strspn(s, BLANKS); *s && used + 1 < size; s += strspn(s, BLANKS)) {
                size_t n = strcspn(s, BLANKS);

                if (used > 0)
                        buf[used++] = ' ';
                word(s, n, buf + used, size - used);
                used += strlen(buf + used);
                s += n;
        }
        return buf;
}
