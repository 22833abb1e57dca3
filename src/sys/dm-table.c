/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables may hold keys, which must not be left behind in memory or in a plan: here they are only
 * pointed at, and what comes out is made without them. */

#include <ctype.h>

#include "sys/dm-table.h"

#define KEY_INDEX 4 /* START LENGTH crypt CIPHER KEY IV-OFFSET DEVICE OFFSET ... */

bool dm_word_is_target(const DmWord *w, const char *target)
{
        return w->target_length == strlen(target) &&
               strncmp(w->target, target, w->target_length) == 0;
}

bool dm_word_is_key(const DmWord *w)
{
        return w->index == KEY_INDEX && dm_word_is_target(w, "crypt");
}

bool dm_word_is_key_of_others(const DmWord *w)
{
        return dm_word_is_key(w) && *w->text == ':';
}

bool dm_word_is_hidden_key(const DmWord *w)
{
        return dm_word_is_key(w) && strncmp(w->text, DM_KEY_PREFIX, strlen(DM_KEY_PREFIX)) == 0;
}

bool dm_word_is_device(const DmWord *w, dev_t *ret)
{
        char text[DEVNUM_MAX];

        if (w->index < 3 || dm_word_is_key(w) || w->length >= sizeof(text))
                return false;
        (void)snprintf(text, sizeof(text), "%.*s", (int)w->length, w->text);
        return parse_devnum(text, ret) == 0;
}

/* A word ends at a blank, a line at "; ": parameters of the targets that are handled hold none. */
int dm_table_walk(const char *table, int (*fn)(void *arg, const DmWord *w), void *arg)
{
        DmWord w = { .text = table };

        for (;;) {
                bool last_of_line;
                int r;

                w.length = strcspn(w.text, " ;");
                if (w.length == 0)
                        return -EBADMSG;
                if (w.index == 2) {
                        w.target = w.text;
                        w.target_length = w.length;
                }
                r = w.index < 2 ? 0 : fn(arg, &w);
                if (r != 0)
                        return r;
                last_of_line = w.text[w.length] != ' ';
                if (last_of_line && w.index < 2)
                        return -EBADMSG;
                w.text += w.length;
                if (*w.text == '\0')
                        return 0;
                if (last_of_line && w.text[1] != ' ')
                        return -EBADMSG;
                w.text += last_of_line ? 2 : 1;
                w.line += last_of_line;
                w.index = last_of_line ? 0 : w.index + 1;
        }
}

/* --- the same table with some words changed --- */

typedef struct Rewrite {
        const char *from; /* copied up to here */
        FILE *out;
        const char *name;
        int (*lookup)(void *arg, dev_t dev, dev_t *ret);
        void *arg;
} Rewrite;

static int _printf_(3, 4) put_instead(Rewrite *rw, const DmWord *w, const char *fmt, ...)
{
        va_list ap;

        (void)fwrite(rw->from, 1, (size_t)(w->text - rw->from), rw->out);
        va_start(ap, fmt);
        (void)vfprintf(rw->out, fmt, ap);
        va_end(ap);
        rw->from = w->text + w->length;
        return 0;
}

static int rewrite(
        const char *table, int (*fn)(void *arg, const DmWord *w), Rewrite *rw, char **ret)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        rw->from = table;
        rw->out = open_memstream(&text, &size);
        if (!rw->out)
                return -ENOMEM;
        r = dm_table_walk(table, fn, rw);
        if (r == 0)
                (void)fputs(rw->from, rw->out);
        if (memstream_close(rw->out, &text) < 0 && r == 0)
                r = -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

static bool all_hex(const DmWord *w)
{
        for (size_t i = 0; i < w->length; i++)
                if (!isxdigit((unsigned char)w->text[i]))
                        return false;
        return w->length % 2 == 0;
}

static int hide_key(void *arg, const DmWord *w)
{
        Rewrite *rw = arg;

        if (!dm_word_is_key(w) || dm_word_is_key_of_others(w) || dm_word_is_hidden_key(w) ||
                (w->length == 1 && *w->text == '-'))
                return 0;
        if (!all_hex(w))
                return -EBADMSG;
        return put_instead(rw, w, DM_KEY_PREFIX "%s:%u", rw->name, w->line);
}

int dm_table_hide_keys(const char *table, const char *name, char **ret)
{
        Rewrite rw = { .name = name };

        return rewrite(table, hide_key, &rw, ret);
}

static int drop_key(void *arg, const DmWord *w)
{
        return dm_word_is_key(w) ? put_instead(arg, w, "*") : 0;
}

int dm_table_same(const char *a, const char *b)
{
        _cleanup_(freep) char *without_a = NULL, *without_b = NULL;
        Rewrite rw_a = { 0 }, rw_b = { 0 };
        int r = rewrite(a, drop_key, &rw_a, &without_a);

        if (r == 0)
                r = rewrite(b, drop_key, &rw_b, &without_b);
        return r < 0 ? r : streq(without_a, without_b);
}

static int translate_word(void *arg, const DmWord *w)
{
        char devnum[DEVNUM_MAX];
        Rewrite *rw = arg;
        dev_t dev;
        int r;

        if (!dm_word_is_device(w, &dev))
                return 0;
        r = rw->lookup(rw->arg, dev, &dev);
        return r < 0 ? r : put_instead(rw, w, "%s", format_devnum(devnum, dev));
}

int dm_table_translate(
        const char *table, int (*lookup)(void *arg, dev_t dev, dev_t *ret), void *arg, char **ret)
{
        Rewrite rw = { .lookup = lookup, .arg = arg };

        return rewrite(table, translate_word, &rw, ret);
}

/* --- and with the keys --- */

typedef struct Fill {
        const char *from; /* copied up to here */
        char *out;
        ssize_t (*fetch)(const char *name, uint8_t buf[static DM_KEY_MAX]);
} Fill;

static int count_key(void *arg, const DmWord *w)
{
        *(size_t *)arg += dm_word_is_hidden_key(w);
        return 0;
}

static int fill_key(void *arg, const DmWord *w)
{
        Fill *fill = arg;
        uint8_t key[DM_KEY_MAX];
        char name[512];
        ssize_t n;

        if (!dm_word_is_hidden_key(w))
                return 0;
        if (w->length >= sizeof(name))
                return -ENAMETOOLONG;
        (void)snprintf(name, sizeof(name), "%.*s", (int)w->length, w->text);
        n = fill->fetch(name, key);
        if (n < 0 || n > DM_KEY_MAX)
                return n < 0 ? (int)n : -E2BIG;
        fill->out = mempcpy(fill->out, fill->from, (size_t)(w->text - fill->from));
        fill->from = w->text + w->length;
        for (ssize_t i = 0; i < n; i++) {
                *fill->out++ = "0123456789abcdef"[key[i] >> 4];
                *fill->out++ = "0123456789abcdef"[key[i] & 0xf];
        }
        explicit_bzero(key, sizeof(key));
        return 0;
}

/* Room for all at once: a buffer that grows leaves keys behind. */
int dm_table_fill_keys(const char *table,
        ssize_t (*fetch)(const char *name, uint8_t buf[static DM_KEY_MAX]), char **ret)
{
        Fill fill = { .from = table, .fetch = fetch };
        size_t keys = 0;
        char *text;
        int r = dm_table_walk(table, count_key, &keys);

        if (r < 0)
                return r;
        text = calloc(strlen(table) + keys * 2 * DM_KEY_MAX + 1, 1);
        if (!text)
                return -ENOMEM;
        fill.out = text;
        r = dm_table_walk(table, fill_key, &fill);
        if (r < 0) {
                wipe_and_free(text);
                return r;
        }
        (void)stpcpy(fill.out, fill.from);
        *ret = text;
        return 0;
}

void wipe_and_free(char *table)
{
        if (table)
                explicit_bzero(table, strlen(table));
        free(table);
}
