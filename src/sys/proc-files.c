/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a mapped file is: of an asked filesystem, an asked device node, DAX. That is asked once per
 * file, worker and scan through map_files and remembered, since libraries are mapped by everybody
 * and the question is the expensive one. */

#include <fcntl.h>
#include <inttypes.h>
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

static const char *mapping_path(ProcScan *s, const ProcMapping *m)
{
        return m->path ? m->path : proc_query_path(m, s->buf);
}

/* map_files needs CAP_CHECKPOINT_RESTORE and does not exist for the threads of a dead leader. The
 * name is asked only in /dev, where no filesystem can hang, and must be the same file. */
static int stat_mapping(ProcScan *s, int dir_fd, const ProcMapping *m, struct statx *ret)
{
        const int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
        const char *name;
        char path[64];

        (void)snprintf(path, sizeof(path), "map_files/%" PRIx64 "-%" PRIx64, m->start, m->end);
        if (statx(dir_fd, path, flags, STATX_TYPE, ret) == 0)
                return 0;
        name = mapping_path(s, m);
        if (strncmp(name, "/dev/", 5) != 0)
                return -ENOENT;
        if (statx(AT_FDCWD, name, flags | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO, ret) < 0)
                return -errno;
        if (makedev(ret->stx_dev_major, ret->stx_dev_minor) != m->dev || ret->stx_ino != m->inode)
                return -ENOENT;
        return 0;
}

/* Unknown counts as DAX: the kernel's kill may hit it, and the plan must not promise otherwise. */
static FileFacts facts_of_mapping(ProcScan *s, int dir_fd, const ProcMapping *m, bool *ret_known)
{
        FileFacts facts = { .dev = m->dev, .inode = m->inode, .dax = true };
        struct statx stx;

        *ret_known = stat_mapping(s, dir_fd, m, &stx) == 0;
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
        *ret = facts_of_mapping(s, dir_fd, m, &known);
        if (known) {
                *slot = *ret;
                s->files->n_used++;
        }
        return 0;
}

/* The name is the dearest part and only the first one of each device is shown. */
static void mapping_hit(ProcScan *s, ProcHit *hit, unsigned use, const ProcMapping *m)
{
        proc_scan_hit(s, hit, use, hit->uses == 0 ? mapping_path(s, m) : "");
}

int proc_scan_mapping(ProcScan *s, int dir_fd, const ProcMapping *m)
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
                mapping_hit(s, hit, facts.dax ? PROC_USE_DAX : PROC_USE_MAP, m);
        hit = facts.rdev != 0 ? proc_scan_node(s, facts.rdev) : NULL;
        if (hit)
                mapping_hit(s, hit, PROC_USE_NODE, m);
        return 0;
}
