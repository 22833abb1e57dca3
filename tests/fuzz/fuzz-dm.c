/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables of device mapper devices. A key is never left in what goes into a plan, and comes back as
 * it was. */

#include <strings.h>

#include "fuzz.h"
#include "sys/dm-table.h"

/* What hide_keys() has taken out, in the order of the lines. */
static const char *original;

static int find_key(void *arg, const DmWord *w)
{
        const char *wanted = arg;
        char name[64];

        (void)snprintf(name, sizeof(name), DM_KEY_PREFIX "vol:%u", w->line);
        if (!dm_word_is_key(w) || !streq(name, wanted))
                return 0;
        original = w->text;
        return (int)w->length + 1;
}

static const char *table_with_keys;

static ssize_t fetch(const char *name, uint8_t buf[static DM_KEY_MAX])
{
        int n = dm_table_walk(table_with_keys, find_key, (void *)(uintptr_t)name);

        if (n <= 1 || n - 1 > 2 * DM_KEY_MAX)
                return -ENOKEY;
        for (int i = 0; i + 1 < n - 1; i += 2) {
                const char two[] = { original[i], original[i + 1], '\0' };

                buf[i / 2] = (uint8_t)strtoul(two, NULL, 16);
        }
        return (n - 1) / 2;
}

static int no_digits(void *arg, const DmWord *w)
{
        if (!dm_word_is_key(w))
                return 0;
        fuzz_assert(dm_word_is_key_of_others(w) || dm_word_is_hidden_key(w) || w->length == 0 ||
                    (w->length == 1 && *w->text == '-'));
        return 0;
}

static int same_device(void *arg, dev_t dev, dev_t *ret)
{
        *ret = dev;
        return 0;
}

static void translate(const char *table)
{
        _cleanup_(freep) char *text = NULL, *again = NULL;

        if (dm_table_translate(table, same_device, NULL, &text) < 0)
                return;
        fuzz_assert(dm_table_translate(text, same_device, NULL, &again) == 0);
        fuzz_assert(streq(text, again) && dm_table_same(table, text) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *table = fuzz_text(data, size), *hidden = NULL;
        char *filled = NULL;

        translate(table);
        if (dm_table_hide_keys(table, "vol", &hidden) < 0)
                return 0;
        fuzz_assert(dm_table_walk(hidden, no_digits, NULL) == 0);
        fuzz_assert(dm_table_same(table, hidden) == 1);
        table_with_keys = table;
        if (!strstr(table, DM_KEY_PREFIX) && dm_table_fill_keys(hidden, fetch, &filled) == 0)
                fuzz_assert(strcasecmp(filled, table) == 0);
        wipe_and_free(filled);
        return 0;
}
