/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What only XFS can tell: whether pre-remove will work on it, and how many pages the kernel would
 * walk. Listing the inodes reads the filesystem: never while it is frozen. Only the version 5 calls
 * are used (kernel 5.3); a kernel without them has no pre-remove either. */

#include <linux/magic.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <xfs/xfs.h>

#include "sys/sysfs.h"
#include "sys/xfs.h"

#define PAGE_BYTES 4096
#define INODES_PER_CALL 1024

static int xfs_geometry(int fd, struct xfs_fsop_geom *ret)
{
        struct statfs st;

        /* Other filesystems give these request numbers a meaning of their own. */
        if (fstatfs(fd, &st) < 0)
                return -errno;
        if (st.f_type != XFS_SUPER_MAGIC)
                return -ENOTTY;
        return ioctl(fd, XFS_IOC_FSGEOMETRY, ret) < 0 ? -errno : 0;
}

int xfs_info(int fd, XfsInfo *ret)
{
        struct xfs_fsop_geom geometry = { 0 };
        int r;

        r = xfs_geometry(fd, &geometry);
        if (r < 0)
                return r;
        *ret = (XfsInfo){
                .rmapbt = (geometry.flags & XFS_FSOP_GEOM_FLAGS_RMAPBT) != 0,
                .realtime = geometry.rtblocks > 0,
                .external_log = geometry.logstart == 0,
                .reach = (uint64_t)geometry.agcount * geometry.agblocks * geometry.blocksize,
        };
        return 0;
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
        return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t multiply_capped(uint64_t a, uint64_t b)
{
        return __builtin_mul_overflow(a, b, &a) ? UINT64_MAX : a;
}

/* Sizes below 16 have a class each, above that 16 classes for each power of two: the bound is never
 * more than a sixteenth too high in the one class that is taken in part. */
static size_t size_class(uint64_t pages)
{
        unsigned log;

        if (pages < 16)
                return (size_t)pages;
        log = 63 - (unsigned)__builtin_clzll(pages);
        return 16 * (log - 3) + ((pages >> (log - 4)) & 15);
}

static uint64_t class_max(size_t class)
{
        unsigned shift;

        if (class < 16)
                return class;
        shift = (unsigned)(class / 16 - 1);
        return ((uint64_t)(16 + class % 16) << shift) + ((UINT64_C(1) << shift) - 1);
}

void xfs_sizes_add(XfsSizes *s, uint64_t pages)
{
        size_t class = size_class(pages);

        s->files[class]++;
        s->pages[class] = add_capped(s->pages[class], pages);
}

uint64_t xfs_sizes_largest(const XfsSizes *s, uint64_t files)
{
        uint64_t sum = 0;

        for (size_t class = XFS_SIZE_CLASSES; class -- > 0 && files > 0;) {
                uint64_t taken = MIN_OF(files, s->files[class]), part = s->pages[class];

                if (taken < s->files[class])
                        part = MIN_OF(part, multiply_capped(taken, class_max(class)));
                sum = add_capped(sum, part);
                files -= taken;
        }
        return sum;
}

/* Calls fn for each inode of the filesystem, at most until the deadline. */
static int each_inode(int fd, uint64_t deadline_usec,
        int (*fn)(const struct xfs_bulkstat *inode, void *arg), void *arg)
{
        _cleanup_(freep) struct xfs_bulkstat_req *req = NULL;
        int r = 0;

        req = calloc(1, XFS_BULKSTAT_REQ_SIZE(INODES_PER_CALL));
        if (!req)
                return -ENOMEM;
        req->hdr.icount = INODES_PER_CALL;
        /* The call advances hdr.ino behind the last inode that it gave. */
        do {
                if (now_usec() >= deadline_usec)
                        return -ETIMEDOUT;
                if (ioctl(fd, XFS_IOC_BULKSTAT, req) < 0)
                        return -errno;
                for (uint32_t i = 0; i < req->hdr.ocount && r == 0; i++)
                        r = fn(&req->bulkstat[i], arg);
        } while (r == 0 && req->hdr.ocount > 0);
        return r;
}

typedef struct SizesArg {
        XfsSizes *sizes;
        uint32_t block_bytes;
} SizesArg;

static int sizes_add_inode(const struct xfs_bulkstat *inode, void *arg)
{
        const SizesArg *a = arg;
        uint64_t bytes = multiply_capped(inode->bs_blocks, a->block_bytes);

        if (S_ISREG(inode->bs_mode))
                xfs_sizes_add(a->sizes, bytes / PAGE_BYTES + (bytes % PAGE_BYTES != 0));
        return 0;
}

/* struct xfs_fid64 without a parent, fs/xfs/xfs_export.h. */
#define FILEID_INO64_GEN 0x81
typedef struct FileId {
        uint64_t ino;
        uint32_t gen;
} __attribute__((packed)) FileId;

static int sync_inode(const struct xfs_bulkstat *inode, void *arg)
{
        const FileId id = { .ino = inode->bs_ino, .gen = inode->bs_gen };
        union {
                struct file_handle handle;
                char room[sizeof(struct file_handle) + sizeof(FileId)];
        } u = { .handle = { .handle_bytes = sizeof(FileId), .handle_type = FILEID_INO64_GEN } };
        _cleanup_(closep) int fd = -EBADF;

        if (!S_ISREG(inode->bs_mode))
                return 0;
        memcpy(u.room + sizeof(struct file_handle), &id, sizeof(id));
        fd = open_by_handle_at(*(int *)arg, &u.handle, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        /* Deleted since it was listed. */
        if (fd < 0)
                return errno == ESTALE || errno == ENOENT ? 0 : -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

int xfs_sync_files(int fd, uint64_t deadline_usec)
{
        return each_inode(fd, deadline_usec, sync_inode, &fd);
}

/* The first number of the line "vnodes": inodes in core. */
static int inodes_in_core(const char *disk, uint64_t *ret)
{
        _cleanup_(freep) char *text = NULL;
        char path[128], *line;
        int n, r;

        if (strchr(disk, '/'))
                return -EINVAL;
        n = snprintf(path, sizeof(path), "/sys/fs/xfs/%s/stats/stats", disk);
        if (n >= (int)sizeof(path))
                return -EINVAL;
        r = read_full_file(path, 65536, &text, NULL);
        if (r < 0)
                return r;
        line = strstr(text, "\nvnodes ");
        if (!line)
                return -EBADMSG;
        line += strlen("\nvnodes ");
        line[strcspn(line, " \n")] = '\0';
        return parse_u64(line, ret);
}

int xfs_cached_pages(int fd, const char *disk, uint64_t deadline_usec, uint64_t *ret)
{
        _cleanup_(freep) XfsSizes *sizes = NULL;
        struct xfs_fsop_geom geometry = { 0 };
        uint64_t inodes;
        int r;

        r = xfs_geometry(fd, &geometry);
        if (r < 0)
                return r;
        r = inodes_in_core(disk, &inodes);
        if (r < 0)
                return r;
        sizes = calloc(1, sizeof(XfsSizes));
        if (!sizes)
                return -ENOMEM;
        r = each_inode(fd, deadline_usec, sizes_add_inode,
                &(SizesArg){ .sizes = sizes, .block_bytes = geometry.blocksize });
        if (r < 0)
                return r;
        *ret = xfs_sizes_largest(sizes, inodes);
        return 0;
}
