/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mappings of a process from the text of maps, for kernels before 6.11. The kernel prints a page of
 * it per read whatever the buffer (fs/seq_file.c, seq_read_iter). */

#include <fcntl.h>
#include <sys/sysmacros.h>

#include "sys/proc-internal.h"

static const char *parse_hex(const char *p, char end, uint64_t *ret)
{
        uint64_t value = 0;
        const char *begin = p;

        for (;; p++) {
                if (*p >= '0' && *p <= '9')
                        value = value << 4 | (uint64_t)(*p - '0');
                else if (*p >= 'a' && *p <= 'f')
                        value = value << 4 | (uint64_t)(*p - 'a' + 10);
                else
                        break;
        }
        *ret = value;
        return p > begin && *p == end ? p + 1 : NULL;
}

static const char *parse_decimal(const char *p, uint64_t *ret)
{
        uint64_t value = 0;
        const char *begin = p;

        for (; *p >= '0' && *p <= '9'; p++)
                value = value * 10 + (uint64_t)(*p - '0');
        *ret = value;
        return p > begin && (*p == ' ' || *p == '\0') ? p : NULL;
}

/* START-END PERM OFFSET MAJOR:MINOR INODE PATH, numbers in hex but the inode. */
bool proc_mapping_parse(const char *line, ProcMapping *ret)
{
        uint64_t offset, major, minor;
        const char *p;

        p = parse_hex(line, '-', &ret->start);
        p = p ? parse_hex(p, ' ', &ret->end) : NULL;
        if (!p || strnlen(p, 5) < 5 || p[4] != ' ')
                return false;
        p = parse_hex(p + 5, ' ', &offset);
        p = p ? parse_hex(p, ':', &major) : NULL;
        p = p ? parse_hex(p, ' ', &minor) : NULL;
        p = p ? parse_decimal(p, &ret->inode) : NULL;
        if (!p)
                return false;
        ret->dev = makedev((unsigned)major, (unsigned)minor);
        ret->path = p + strspn(p, " ");
        ret->maps_fd = -EBADF;
        return true;
}

/* Looks at the whole lines of buf; what is left of it is moved to the front. */
static int look_at_lines(ProcScan *s, int dir_fd, size_t n, size_t *ret_rest)
{
        char *line = s->buf, *end;
        ProcMapping m;
        int r;

        for (; (end = memchr(line, '\n', n)); line = end + 1) {
                n -= (size_t)(end + 1 - line);
                *end = '\0';
                if (!proc_mapping_parse(line, &m))
                        return -EBADMSG;
                r = proc_scan_mapping(s, dir_fd, &m);
                if (r < 0)
                        return r;
        }
        memmove(s->buf, line, n);
        *ret_rest = n;
        return 0;
}

int proc_scan_maps(ProcScan *s, int dir_fd)
{
        _cleanup_(closep) int fd = -EBADF;
        size_t rest = 0;
        ssize_t n;
        int r;

        fd = openat(dir_fd, "maps", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        for (;;) {
                n = read(fd, s->buf + rest, PROC_SCAN_BUFFER - rest);
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                r = look_at_lines(s, dir_fd, rest + (size_t)n, &rest);
                if (r < 0)
                        return r;
                if (rest == PROC_SCAN_BUFFER)
                        return -EBADMSG;
        }
}
