/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables of the whole machine: /proc/swaps, /proc/meminfo, /proc/iomem, exports, /etc/fstab; and
 * the lists of memory blocks in plans. */

#include "fuzz.h"
#include "sys/fstab.h"
#include "sys/memory.h"
#include "sys/nfs.h"
#include "sys/swaps.h"

static void swaps(const char *text)
{
        _cleanup_(swap_list_done) SwapList l = { 0 };
        MemoryFree m;
        int r = swaps_parse(text, &l);

        for (size_t i = 0; r == 0 && i < l.n; i++)
                fuzz_assert(l.items[i].path && swap_list_find(&l, l.items[i].path));
        (void)!memory_free_parse(text, &m);
}

static void iomem(char *text)
{
        FILE *f = fmemopen(text, strlen(text) + 1, "re");

        fuzz_assert(f);
        (void)!memory_iomem_has_ram(f, 0x140000000, 0x40000000);
        (void)fclose(f);
}

static void exports(const char *text)
{
        _cleanup_(nfs_export_list_done) NfsExportList l = { 0 };

        if (nfs_exports_parse("/mnt", text, &l) < 0)
                return;
        for (size_t i = 0; i < l.n; i++)
                fuzz_assert(*l.items[i].client && nfs_exports_have(&l, &l.items[i]));
}

typedef struct Numbers {
        char *list;
        uint64_t last;
        size_t n;
} Numbers;

static int see(uint64_t number, void *arg)
{
        Numbers *seen = arg;

        seen->last = number;
        return ++seen->n > 1000 ? -E2BIG : 0;
}

static void blocks(const char *text)
{
        Numbers seen = { 0 };
        int r = memory_list_each(text, see, &seen);

        if (r == 0)
                fuzz_assert(memory_list_count(text) == seen.n);
}

static void fstab(const char *text)
{
        char path[FUZZ_PATH_MAX];
        int r;

        (void)fuzz_file(text, strlen(text));
        r = fstab_waits(fuzz_file_path(path), "/mnt/pmem");
        fuzz_assert(r == 0 || r == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size);

        swaps(text);
        exports(text);
        blocks(text);
        fstab(text);
        iomem(text);
        return 0;
}
