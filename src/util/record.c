/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records in memory and as one line of text. The line is canonical: there is exactly one way to
 * write a record, so texts can be compared and hashed. The parser enforces that the short way: it
 * reads, prints what it read, and refuses the line unless both are the same.
 *
 *     line  = word [ " " word ] { " " key "=" word }
 *     word  = plain+ | '"' { printable | escape } '"'      quoted only when it must be
 *     plain = A-Z a-z 0-9 _ . / : , + @ % -                 no "=", so no name looks like a field
 *     escape = \" | \\ | \n | \t | \xHH                     HH in lower case, bytes outside 20..7e
 */

#include <stdarg.h>

#include "util/record.h"
#include "util/text.h"

#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789_-"
#define PLAIN_CHARACTERS KEY_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ./:,+@%"

Record *record_new(const char *verb, const char *name)
{
        _cleanup_(record_freep) Record *r = NULL;

        r = calloc(1, sizeof(Record));
        if (!r)
                return NULL;
        if (free_and_strdup(&r->verb, verb) < 0 || free_and_strdup(&r->name, name) < 0)
                return NULL;
        return TAKE_PTR(r);
}

Record *record_free(Record *r)
{
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->n_fields; i++) {
                free(r->fields[i].key);
                free(r->fields[i].value);
        }
        free(r->fields);
        free(r->verb);
        free(r->name);
        free(r);
        return NULL;
}

Record *record_copy(const Record *r)
{
        _cleanup_(record_freep) Record *copy = NULL;

        copy = record_new(r->verb, r->name);
        if (!copy)
                return NULL;
        for (size_t i = 0; i < r->n_fields; i++)
                if (record_set(copy, r->fields[i].key, r->fields[i].value) < 0)
                        return NULL;
        return TAKE_PTR(copy);
}

static RecordField *field_find(const Record *r, const char *key)
{
        for (size_t i = 0; i < r->n_fields; i++)
                if (streq(r->fields[i].key, key))
                        return &r->fields[i];
        return NULL;
}

static void field_remove(Record *r, RecordField *f)
{
        RecordField *end = r->fields + r->n_fields;

        free(f->key);
        free(f->value);
        memmove(f, f + 1, (size_t)(end - f - 1) * sizeof(RecordField));
        r->n_fields--;
}

static int field_append(Record *r, const char *key, const char *value)
{
        _cleanup_(freep) char *k = NULL, *v = NULL;
        RecordField *grown;

        k = strdup(key);
        v = strdup(value);
        if (!k || !v)
                return -ENOMEM;
        grown = reallocarray(r->fields, r->n_fields + 1, sizeof(RecordField));
        if (!grown)
                return -ENOMEM;
        r->fields = grown;
        r->fields[r->n_fields++] = (RecordField){ .key = TAKE_PTR(k), .value = TAKE_PTR(v) };
        return 0;
}

int record_set(Record *r, const char *key, const char *value)
{
        RecordField *f;

        if (!*key || key[strspn(key, KEY_CHARACTERS)])
                return -EINVAL;
        f = field_find(r, key);
        if (!value) {
                if (f)
                        field_remove(r, f);
                return 0;
        }
        return f ? free_and_strdup(&f->value, value) : field_append(r, key, value);
}

int record_setf(Record *r, const char *key, const char *fmt, ...)
{
        _cleanup_(freep) char *value = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&value, fmt, ap);
        va_end(ap);
        if (n < 0) {
                value = NULL; /* vasprintf(3) leaves it undefined */
                return -ENOMEM;
        }
        return record_set(r, key, value);
}

const char *record_get(const Record *r, const char *key)
{
        const RecordField *f = field_find(r, key);

        return f ? f->value : NULL;
}

int record_get_u64(const Record *r, const char *key, uint64_t *ret)
{
        const char *value = record_get(r, key);

        return value ? parse_u64(value, ret) : -ENOENT;
}

/* Size of the printed word; the worst case is four characters for each byte and two quotes. */
static size_t word_bound(const char *word)
{
        return 4 * strlen(word) + 2;
}

/* Characters with an escape of their own: the byte, then its letter. */
static const char escapes[][2] = { { '"', '"' }, { '\\', '\\' }, { '\n', 'n' }, { '\t', 't' } };

static char *byte_print(char *out, unsigned char c)
{
        static const char digits[] = "0123456789abcdef";

        *out++ = '\\';
        for (size_t i = 0; i < ELEMENTSOF(escapes); i++)
                if (escapes[i][0] == (char)c) {
                        *out++ = escapes[i][1];
                        return out;
                }
        *out++ = 'x';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
        return out;
}

static char *word_print(char *out, const char *word)
{
        size_t n = strlen(word);

        if (n > 0 && strspn(word, PLAIN_CHARACTERS) == n)
                return mempcpy(out, word, n);
        *out++ = '"';
        for (const char *p = word; *p; p++) {
                unsigned char c = (unsigned char)*p;

                if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
                        out = byte_print(out, c);
                else
                        *out++ = *p;
        }
        *out++ = '"';
        return out;
}

char *record_print(const Record *r)
{
        size_t bound = word_bound(r->verb) + (r->name ? word_bound(r->name) + 1 : 0) + 1;
        _cleanup_(freep) char *line = NULL;
        char *out;

        for (size_t i = 0; i < r->n_fields; i++)
                bound += strlen(r->fields[i].key) + word_bound(r->fields[i].value) + 2;
        line = malloc(bound);
        if (!line)
                return NULL;
        out = word_print(line, r->verb);
        if (r->name) {
                *out++ = ' ';
                out = word_print(out, r->name);
        }
        for (size_t i = 0; i < r->n_fields; i++) {
                *out++ = ' ';
                out = stpcpy(out, r->fields[i].key);
                *out++ = '=';
                out = word_print(out, r->fields[i].value);
        }
        *out = '\0';
        /* Nobody could read such a line again. */
        if (out - line > RECORD_LINE_MAX)
                return NULL;
        return TAKE_PTR(line);
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes what follows a backslash off the front of *p. */
static int take_escape(const char **p, char *ret)
{
        int high, low;

        for (size_t i = 0; i < ELEMENTSOF(escapes); i++)
                if (**p == escapes[i][1]) {
                        *ret = escapes[i][0];
                        (*p)++;
                        return 0;
                }
        if (**p != 'x')
                return -EBADMSG;
        high = hex_digit((*p)[1]);
        if (high < 0)
                return -EBADMSG;
        low = hex_digit((*p)[2]);
        if (low < 0)
                return -EBADMSG;
        *ret = (char)(high << 4 | low);
        *p += 3;
        return 0;
}

/* Takes a word off the front of *p; out has room for all that is left of the line. */
static int take_word(const char **p, char *out)
{
        int r;

        if (**p != '"') {
                size_t n = strspn(*p, PLAIN_CHARACTERS);

                *(char *)mempcpy(out, *p, n) = '\0';
                *p += n;
                return n > 0 ? 0 : -EBADMSG;
        }
        for ((*p)++; **p != '"'; out++) {
                char c = **p;

                /* Also keeps the printed form from being longer than the line that was read. */
                if (c < 0x20 || c > 0x7e)
                        return -EBADMSG;
                (*p)++;
                *out = c;
                if (c != '\\')
                        continue;
                r = take_escape(p, out);
                if (r < 0)
                        return r;
        }
        *out = '\0';
        (*p)++;
        return 0;
}

/* Takes "name" or "key=word" off the front of *p, using word as scratch. */
static int take_part(Record *r, const char **p, char *word)
{
        size_t n = strspn(*p, KEY_CHARACTERS);
        _cleanup_(freep) char *key = NULL;
        int k;

        if (n == 0 || (*p)[n] != '=') {
                if (r->name || r->n_fields > 0)
                        return -EBADMSG;
                k = take_word(p, word);
                if (k < 0)
                        return k;
                return free_and_strdup(&r->name, word);
        }
        key = strndup(*p, n);
        if (!key)
                return -ENOMEM;
        *p += n + 1;
        k = take_word(p, word);
        if (k < 0)
                return k;
        return record_set(r, key, word);
}

int record_parse(const char *line, Record **ret)
{
        _cleanup_(record_freep) Record *record = NULL;
        _cleanup_(freep) char *word = NULL, *printed = NULL;
        const char *p = line;
        int r;

        if (strlen(line) > RECORD_LINE_MAX)
                return -EBADMSG;
        word = malloc(strlen(line) + 1);
        if (!word)
                return -ENOMEM;
        r = take_word(&p, word);
        if (r < 0)
                return r;
        record = record_new(word, NULL);
        if (!record)
                return -ENOMEM;
        while (*p == ' ') {
                p++;
                r = take_part(record, &p, word);
                if (r < 0)
                        return r;
        }
        if (*p)
                return -EBADMSG;
        printed = record_print(record);
        if (!printed)
                return -ENOMEM;
        if (!streq(printed, line))
                return -EBADMSG;
        *ret = TAKE_PTR(record);
        return 0;
}
