/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mappings of a process, from the text of maps: which are of an asked filesystem, which of an asked
 * device node, and which are DAX. What a file is, is asked once per file and scan through map_files
 * and remembered, since libraries are mapped by everybody and that question is the expensive one.
 */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/proc-internal.h"

#define FILES_INITIAL 256 /* a power of two */

typedef struct FileFacts {
        dev_t dev;
        uint64_t inode; /* 0: empty slot; no file has it */
        dev_t rdev;     /* of a block or character node, else 0 */
        bool dax;
} FileFacts;

/* Open addressing with linear probing. */
typedef struct ProcFiles {
        FileFacts *slots;
        size_t n_slots;
        size_t n_used;
} ProcFiles;

struct ProcFiles *proc_files_free(struct ProcFiles *f)
{
        if (!f)
                return NULL;
        free(f->slots);
        free(f);
        return NULL;
}

static FileFacts *slot_of(const ProcFiles *f, dev_t dev, uint64_t inode)
{
        uint64_t hash = (inode ^ ((uint64_t)dev << 32)) * UINT64_C(0x9E3779B97F4A7C15);
        size_t i = (size_t)(hash >> 32) & (f->n_slots - 1);

        while (f->slots[i].inode != 0 && (f->slots[i].inode != inode || f->slots[i].dev != dev))
                i = (i + 1) & (f->n_slots - 1);
        return f->slots + i;
}

static int files_grow(ProcFiles *f)
{
        ProcFiles bigger = { .n_slots = f->n_slots ? 2 * f->n_slots : FILES_INITIAL };

        bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
        if (!bigger.slots)
                return -ENOMEM;
        for (size_t i = 0; i < f->n_slots; i++)
                if (f->slots[i].inode != 0)
                        *slot_of(&bigger, f->slots[i].dev, f->slots[i].inode) = f->slots[i];
        bigger.n_used = f->n_used;
        free(f->slots);
        *f = bigger;
        return 0;
}

/* A slot whose inode is 0 is to be filled by the caller. */
static int files_slot(ProcScan *s, const ProcMapping *m, FileFacts **ret)
{
        int r;

        if (!s->files)
                s->files = calloc(1, sizeof(*s->files));
        if (!s->files)
                return -ENOMEM;
        if (2 * s->files->n_used >= s->files->n_slots) {
                r = files_grow(s->files);
                if (r < 0)
                        return r;
        }
        *ret = slot_of(s->files, m->dev, m->inode);
        return 0;
}

/* map_files needs CAP_CHECKPOINT_RESTORE and does not exist for the threads of a dead leader. The
 * name is asked only in /dev, where no filesystem can hang, and must be the same file. */
static int stat_mapping(int dir_fd, const ProcMapping *m, struct statx *ret)
{
        const int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
        char path[64];

        (void)snprintf(path, sizeof(path), "map_files/%s", m->range);
        if (statx(dir_fd, path, flags, STATX_TYPE, ret) == 0)
                return 0;
        if (strncmp(m->path, "/dev/", 5) != 0)
                return -ENOENT;
        if (statx(AT_FDCWD, m->path, flags | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO, ret) < 0)
                return -errno;
        if (makedev(ret->stx_dev_major, ret->stx_dev_minor) != m->dev || ret->stx_ino != m->inode)
                return -ENOENT;
        return 0;
}

/* Unknown counts as DAX: the kernel's kill may hit it, and the plan must not promise otherwise. */
static FileFacts facts_of_mapping(int dir_fd, const ProcMapping *m, bool *ret_known)
{
        FileFacts facts = { .dev = m->dev, .inode = m->inode, .dax = true };
        struct statx stx;

        *ret_known = stat_mapping(dir_fd, m, &stx) == 0;
        if (!*ret_known)
                return facts;
        if (stx.stx_attributes_mask & STATX_ATTR_DAX)
                facts.dax = stx.stx_attributes & STATX_ATTR_DAX;
        if (S_ISBLK(stx.stx_mode) || S_ISCHR(stx.stx_mode))
                facts.rdev = makedev(stx.stx_rdev_major, stx.stx_rdev_minor);
        return facts;
}

/* What could not be found out, because the mapping is gone for instance, is not remembered. */
static int file_facts(ProcScan *s, int dir_fd, const ProcMapping *m, FileFacts *ret)
{
        FileFacts *slot;
        bool known;
        int r;

        r = files_slot(s, m, &slot);
        if (r < 0)
                return r;
        if (slot->inode != 0) {
                *ret = *slot;
                return 0;
        }
        *ret = facts_of_mapping(dir_fd, m, &known);
        if (known) {
                *slot = *ret;
                s->files->n_used++;
        }
        return 0;
}

static int look_at_mapping(ProcScan *s, int dir_fd, const ProcMapping *m)
{
        ProcHit *hit = proc_scan_dev(s, m->dev);
        FileFacts facts;
        int r;

        if (m->inode == 0 || (!hit && s->n_nodes == 0))
                return 0;
        if (hit && (hit->uses & PROC_USE_DAX) && (hit->uses & PROC_USE_MAP) && s->n_nodes == 0)
                return 0;
        r = file_facts(s, dir_fd, m, &facts);
        if (r < 0)
                return r;
        if (hit)
                proc_scan_hit(s, hit, facts.dax ? PROC_USE_DAX : PROC_USE_MAP, m->path);
        hit = facts.rdev != 0 ? proc_scan_node(s, facts.rdev) : NULL;
        if (hit)
                proc_scan_hit(s, hit, PROC_USE_NODE, m->path);
        return 0;
}

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

static const char *parse_range(const char *line, char ret[static 40])
{
        uint64_t begin, end;
        const char *p;

        p = parse_hex(line, '-', &begin);
        p = p ? parse_hex(p, ' ', &end) : NULL;
        if (!p || (size_t)(p - line) > 40)
                return NULL;
        memcpy(ret, line, (size_t)(p - line) - 1);
        ret[p - line - 1] = '\0';
        return p;
}

/* START-END PERM OFFSET MAJOR:MINOR INODE PATH, numbers in hex but the inode. */
bool proc_mapping_parse(const char *line, ProcMapping *ret)
{
        uint64_t offset, major, minor;
        const char *p;

        p = parse_range(line, ret->range);
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
                r = look_at_mapping(s, dir_fd, &m);
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
                if (proc_scan_late(s))
                        return -ETIMEDOUT;
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
