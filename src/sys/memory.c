/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory blocks by sysfs, and what the kernel uses as RAM by /proc/iomem. libdaxctl knows how to
 * take blocks offline, but neither one by one nor with a deadline. */

#include "sys/memory.h"

#include <inttypes.h>

#include "sys/sysfs.h"

#define BLOCKS_DIR "/sys/devices/system/memory"
/* add_memory_driver_managed(), drivers/dax/kmem.c */
#define KMEM_RESOURCE "System RAM (kmem)"
/* More blocks than a machine has, and than anybody wants to wait for. */
#define BLOCKS_MAX (1U << 20)

static int parse_hex(const char *text, uint64_t *ret)
{
        char *end;

        errno = 0;
        *ret = strtoull(text, &end, 16);
        return errno || end == text || *end ? -EBADMSG : 0;
}

int memory_block_bytes(uint64_t *ret)
{
        char text[32];
        int r = sysfs_read(BLOCKS_DIR, "block_size_bytes", text, sizeof(text));

        if (r == 0)
                r = parse_hex(text, ret);
        return r < 0 ? r : *ret == 0 ? -EBADMSG : 0;
}

static const char *block_dir(uint64_t block, char buf[static 64])
{
        (void)snprintf(buf, 64, BLOCKS_DIR "/memory%" PRIu64, block);
        return buf;
}

/* Of a block that is online, valid_zones names the one zone it is in. */
static MemoryState zone_of(const char *dir)
{
        char zones[64];

        if (sysfs_read(dir, "valid_zones", zones, sizeof(zones)) < 0)
                return MEMORY_UNKNOWN;
        return streq(zones, "Movable") ? MEMORY_MOVABLE : MEMORY_KERNEL;
}

int memory_block_state(uint64_t block, MemoryState *ret)
{
        char dir[64], state[32];
        int r = sysfs_read(block_dir(block, dir), "state", state, sizeof(state));

        if (r < 0 && r != -ENOENT && r != -ENODEV)
                return r;
        if (r < 0)
                *ret = MEMORY_ABSENT;
        else if (streq(state, "offline"))
                *ret = MEMORY_OFFLINE;
        else
                *ret = streq(state, "online") ? zone_of(dir) : MEMORY_UNKNOWN;
        return 0;
}

bool memory_block_removable(uint64_t block)
{
        char dir[64];
        uint64_t removable;

        return sysfs_read_u64(block_dir(block, dir), "removable", &removable) < 0 || removable != 0;
}

int memory_block_set(uint64_t block, const char *state)
{
        char dir[64], path[80];

        (void)snprintf(path, sizeof(path), "%s/state", block_dir(block, dir));
        return sysfs_write(path, state);
}

int memory_blocks(uint64_t start, uint64_t size, uint64_t *ret_first, uint64_t *ret_n)
{
        uint64_t bytes, end;
        int r = memory_block_bytes(&bytes);

        if (r < 0)
                return r;
        if (__builtin_add_overflow(start, size, &end) || start > UINT64_MAX - bytes)
                return -EBADMSG;
        *ret_first = (start + bytes - 1) / bytes;
        *ret_n = end / bytes > *ret_first ? end / bytes - *ret_first : 0;
        return *ret_n > BLOCKS_MAX ? -E2BIG : 0;
}

int memory_of_dax(const char *dax, uint64_t *ret_start, uint64_t *ret_size)
{
        char dir[128], text[32];
        int r;

        (void)snprintf(dir, sizeof(dir), "/sys/bus/dax/devices/%s", dax);
        r = sysfs_read(dir, "resource", text, sizeof(text));
        if (r == 0)
                r = parse_hex(text, ret_start);
        return r < 0 ? r : sysfs_read_u64(dir, "size", ret_size);
}

static bool parse_addresses(const char *line, uint64_t *ret_first, uint64_t *ret_last)
{
        const char *start = line + strspn(line, " ");
        char *end;

        errno = 0;
        *ret_first = strtoull(start, &end, 16);
        if (end == start || *end != '-')
                return false;
        start = end + 1;
        *ret_last = strtoull(start, &end, 16);
        return end > start && *end == ' ' && errno == 0;
}

/* "    148000000-17fffffff : System RAM (kmem)" */
int memory_iomem_has_ram(FILE *f, uint64_t start, uint64_t size)
{
        char line[256];
        bool any = false;

        while (fgets(line, sizeof(line), f)) {
                uint64_t first, last;

                if (!parse_addresses(line, &first, &last))
                        return -EBADMSG;
                any = any || last > 0;
                if (strstr(line, " : " KMEM_RESOURCE) && first < start + size && last >= start)
                        return 1;
        }
        /* Who may not see addresses reads zeros. */
        return ferror(f) || !any ? -EACCES : 0;
}

int memory_is_ram(uint64_t start, uint64_t size)
{
        FILE *f = fopen("/proc/iomem", "re");
        int r;

        if (!f)
                return -errno;
        r = memory_iomem_has_ram(f, start, size);
        (void)fclose(f);
        return r;
}

int memory_available(uint64_t *ret_bytes)
{
        _cleanup_(freep) char *text = NULL;
        uint64_t kib;
        int r = read_full_file("/proc/meminfo", 1 << 16, &text, NULL);

        if (r < 0)
                return r;
        if (number_after(text, "\nMemAvailable:", &kib) < 0 || kib > UINT64_MAX / 1024)
                return -EBADMSG;
        *ret_bytes = kib * 1024;
        return 0;
}

/* --- lists --- */

/* What is no list is no number at all: a plan that was damaged must not touch other blocks. */
static int parse_range(const char *word, uint64_t *ret_first, uint64_t *ret_last)
{
        char first[24];
        const char *dash = strchr(word, '-');
        size_t n = dash ? (size_t)(dash - word) : strlen(word);
        int r;

        if (n >= sizeof(first))
                return -EBADMSG;
        (void)snprintf(first, sizeof(first), "%.*s", (int)n, word);
        r = parse_u64(first, ret_first);
        if (r == 0)
                r = parse_u64(dash ? dash + 1 : first, ret_last);
        if (r < 0 || *ret_last < *ret_first || *ret_last - *ret_first >= BLOCKS_MAX)
                return -EBADMSG;
        return 0;
}

int memory_list_add(char **list, uint64_t number)
{
        const char *word;
        uint64_t first, last;
        char *grown;
        int r;

        if (!*list) {
                *list = string_printf("%" PRIu64, number);
                return *list ? 0 : -ENOMEM;
        }
        word = strrchr(*list, ' ');
        word = word ? word + 1 : *list;
        r = parse_range(word, &first, &last);
        if (r < 0)
                return r;
        if (last + 1 == number)
                grown = string_printf(
                        "%.*s%" PRIu64 "-%" PRIu64, (int)(word - *list), *list, first, number);
        else
                grown = string_printf("%s %" PRIu64, *list, number);
        if (!grown)
                return -ENOMEM;
        free(*list);
        *list = grown;
        return 0;
}

int memory_list_each(const char *list, int (*fn)(uint64_t number, void *arg), void *arg)
{
        _cleanup_(strv_freep) char **words = NULL;
        int r = strv_split(strempty(list), &words);

        for (size_t i = r < 0 ? 0 : strv_length(words); i > 0 && r == 0; i--) {
                uint64_t first, last;

                r = parse_range(words[i - 1], &first, &last);
                if (r < 0)
                        break;
                for (uint64_t n = last - first + 1; n > 0 && r == 0; n--)
                        r = fn(first + n - 1, arg);
        }
        return r;
}

static int count(uint64_t number, void *arg)
{
        ++*(uint64_t *)arg;
        return 0;
}

uint64_t memory_list_count(const char *list)
{
        uint64_t n = 0;

        return memory_list_each(list, count, &n) < 0 ? 0 : n;
}
