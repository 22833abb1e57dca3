/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mappings of a process by the ioctl PROCMAP_QUERY of its maps file (Linux 6.11, fs/proc/
 * task_mmu.c): the kernel skips what is no file and prints no text, which is most of what a scan
 * costs (performance-facts 3). */

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "sys/proc-internal.h"

/* Headers of the build machine may be older than the kernel the daemon runs on. */
typedef struct MapQuery {
        uint64_t size;
        uint64_t query_flags;
        uint64_t query_addr;
        uint64_t vma_start;
        uint64_t vma_end;
        uint64_t vma_flags;
        uint64_t vma_page_size;
        uint64_t vma_offset;
        uint64_t inode;
        uint32_t dev_major;
        uint32_t dev_minor;
        uint32_t vma_name_size;
        uint32_t build_id_size;
        uint64_t vma_name_addr;
        uint64_t build_id_addr;
} MapQuery;

#define MAP_QUERY _IOWR('f', 17, MapQuery)
#define MAP_QUERY_COVERING_OR_NEXT 0x10
#define MAP_QUERY_FILE_BACKED 0x20

#ifdef PROCMAP_QUERY
_Static_assert(MAP_QUERY == PROCMAP_QUERY, "the kernel's number, which has the size in it");
#endif

static int query(int maps_fd, uint64_t address, MapQuery *ret)
{
        ret->size = sizeof(*ret);
        ret->query_flags = MAP_QUERY_COVERING_OR_NEXT | MAP_QUERY_FILE_BACKED;
        ret->query_addr = address;
        return ioctl(maps_fd, MAP_QUERY, ret) < 0 ? -errno : 0;
}

/* ENOTTY of an older kernel; anything else unexpected is answered by the text as well. */
bool proc_query_works(void)
{
        _cleanup_(closep) int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
        MapQuery q = { 0 };

        return fd >= 0 && query(fd, 0, &q) >= 0 && q.vma_end > q.vma_start;
}

const char *proc_query_path(const ProcMapping *m, char *buf)
{
        MapQuery q = { .vma_name_addr = (uintptr_t)buf, .vma_name_size = 4096 };

        if (query(m->maps_fd, m->start, &q) < 0 || q.vma_start != m->start || q.vma_name_size == 0)
                *buf = '\0';
        return buf;
}

/* ENOENT is the end. */
int proc_scan_query(ProcScan *s, int dir_fd)
{
        _cleanup_(closep) int fd = -EBADF;
        MapQuery q = { 0 };
        int r;

        fd = openat(dir_fd, "maps", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        while ((r = query(fd, q.vma_end, &q)) == 0) {
                const ProcMapping m = {
                        .dev = makedev(q.dev_major, q.dev_minor),
                        .inode = q.inode,
                        .start = q.vma_start,
                        .end = q.vma_end,
                        .maps_fd = fd,
                };

                r = proc_scan_mapping(s, dir_fd, &m);
                if (r < 0)
                        return r;
        }
        return r == -ENOENT ? 0 : r;
}
