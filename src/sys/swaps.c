/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* /proc/swaps, /proc/meminfo, swapoff(2) and swapon(2). */

#include "sys/swaps.h"

#include <inttypes.h>
#include <sys/swap.h>

#define TEXT_MAX (1024 * 1024)
#define DELETED " (deleted)"

void swap_list_done(SwapList *l)
{
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].path);
        free(l->items);
        *l = (SwapList){ 0 };
}

/* "PATH TYPE SIZE USED PRIORITY" */
static int parse_line(const char *line, SwapArea *ret)
{
        _cleanup_(strv_freep) char **words = NULL;
        char *path;
        size_t n;
        int r;

        r = strv_split(line, &words);
        if (r < 0)
                return r;
        if (strv_length(words) != 5 || parse_u64(words[2], &ret->size_kib) < 0 ||
                parse_u64(words[3], &ret->used_kib) < 0 || parse_int(words[4], &ret->priority) < 0)
                return -EBADMSG;
        path = words[0];
        unescape_octal(path);
        n = strlen(path);
        ret->file = streq(words[1], "file");
        ret->deleted = n > strlen(DELETED) && streq(path + n - strlen(DELETED), DELETED);
        if (ret->deleted)
                path[n - strlen(DELETED)] = '\0';
        ret->path = strdup(path);
        return ret->path ? 0 : -ENOMEM;
}

static int add_line(const char *line, SwapList *l)
{
        SwapArea *grown = reallocarray(l->items, l->n + 1, sizeof(SwapArea));
        int r;

        if (!grown)
                return -ENOMEM;
        l->items = grown;
        r = parse_line(line, &grown[l->n]);
        if (r == 0)
                l->n++;
        return r;
}

int swaps_parse(const char *text, SwapList *l)
{
        _cleanup_(freep) char *copy = strdup(text);
        char *save = NULL, *line;
        int r = 0;

        if (!copy)
                return -ENOMEM;
        (void)strtok_r(copy, "\n", &save); /* the head of the table */
        while (r == 0 && (line = strtok_r(NULL, "\n", &save)))
                r = add_line(line, l);
        return r;
}

int swaps_read(SwapList *l)
{
        _cleanup_(freep) char *text = NULL;
        int r = read_full_file("/proc/swaps", TEXT_MAX, &text, NULL);

        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : swaps_parse(text, l);
}

const SwapArea *swap_list_find(const SwapList *l, const char *path)
{
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].path, path))
                        return l->items + i;
        return NULL;
}

int memory_free_parse(const char *text, MemoryFree *ret)
{
        int r = number_after(text, "\nMemAvailable:", &ret->available_kib);

        return r < 0 ? r : number_after(text, "\nSwapFree:", &ret->swap_kib);
}

int memory_free_read(MemoryFree *ret)
{
        _cleanup_(freep) char *text = NULL;
        int r = read_full_file("/proc/meminfo", TEXT_MAX, &text, NULL);

        return r < 0 ? r : memory_free_parse(text, ret);
}

int swap_off(const char *path)
{
        return swapoff(path) < 0 ? -errno : 0;
}

int swap_on(const char *path, int priority)
{
        int flags = priority >= 0 ? SWAP_FLAG_PREFER | (priority & SWAP_FLAG_PRIO_MASK) : 0;

        return swapon(path, flags) < 0 ? -errno : 0;
}
