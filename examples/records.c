/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_SIZE (4u << 20)
#define N_MAX (FILE_SIZE / sizeof(Record))

/* FNV-1a: a record of which only a part became durable must not be taken for one. */
static uint64_t record_checksum(const Record *r)
{
        uint64_t sum = UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < offsetof(Record, checksum); i++)
                sum = (sum ^ ((const unsigned char *)r)[i]) * UINT64_C(0x100000001b3);
        return sum;
}

static bool record_is_valid(const Record *r, uint64_t number)
{
        return r->number == number && r->checksum == record_checksum(r);
}

int records_open(Records *s, const char *file)
{
        void *map;
        int r;

        s->fd = open(file, O_RDWR | O_CLOEXEC);
        if (s->fd < 0)
                return -errno;
        /* MAP_SYNC is refused where there is no DAX: we never write into what is left of the mount
         * point when the filesystem is gone. */
        map = mmap(
                NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, s->fd, 0);
        if (map == MAP_FAILED) {
                r = -errno;
                records_close(s);
                return r;
        }
        s->map = map;
        s->n = 0;
        while (s->n < N_MAX && record_is_valid(s->map + s->n, s->n + 1))
                s->n++;
        return 0;
}

/* msync() makes it durable everywhere. Thanks to MAP_SYNC, flushing the processor's caches would
 * do, as libpmem does it. */
int records_append(Records *s)
{
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        Record *r = s->map + s->n;

        if (s->n == N_MAX)
                return -ENOSPC;
        r->number = s->n + 1;
        snprintf(r->text, sizeof(r->text), "record %" PRIu64, r->number);
        r->checksum = record_checksum(r);
        if (msync((void *)((uintptr_t)r & ~(page - 1)), page, MS_SYNC) < 0)
                return -errno;
        s->n++;
        return 0;
}

bool records_close(Records *s)
{
        bool was_open = s->map;

        if (s->map) {
                (void)msync(s->map, FILE_SIZE, MS_SYNC);
                munmap(s->map, FILE_SIZE);
        }
        if (s->fd >= 0)
                close(s->fd);
        *s = RECORDS_CLOSED;
        return was_open;
}
