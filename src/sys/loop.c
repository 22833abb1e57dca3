/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loop devices: sysfs tells what they are, ioctls set them up and take them down. */

#include "sys/loop.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/sysfs.h"

#define DELETED " (deleted)"

static int read_flag(const char *dir, const char *name, bool *ret)
{
        uint64_t v;
        int r = sysfs_read_u64(dir, name, &v);

        *ret = r == 0 && v != 0;
        return r;
}

/* The file's name comes last: it goes first when the device is taken down. */
static int read_attributes(const char *disk, const char *dir, const char *queue, LoopConfig *c)
{
        int r = sysfs_read_u64(dir, "offset", &c->offset);

        if (r == 0)
                r = sysfs_read_u64(dir, "sizelimit", &c->sizelimit);
        if (r == 0)
                r = read_flag(dir, "autoclear", &c->autoclear);
        if (r == 0)
                r = read_flag(dir, "partscan", &c->partscan);
        if (r == 0)
                r = read_flag(dir, "dio", &c->direct_io);
        if (r == 0)
                r = read_flag(disk, "ro", &c->read_only);
        if (r == 0)
                r = sysfs_read_u64(queue, "logical_block_size", &c->block_size);
        return r < 0 ? r : sysfs_read(dir, "backing_file", c->file, sizeof(c->file));
}

int loop_read(const char *name, LoopConfig *ret)
{
        char disk[80], dir[96], queue[96];
        size_t n;
        int r;

        (void)snprintf(disk, sizeof(disk), "/sys/block/%.60s", name);
        (void)snprintf(dir, sizeof(dir), "%s/loop", disk);
        (void)snprintf(queue, sizeof(queue), "%s/queue", disk);
        *ret = (LoopConfig){ 0 };
        r = read_attributes(disk, dir, queue, ret);
        if (r < 0)
                return r == -ENODEV || r == -ENXIO ? -ENOENT : r;
        n = strlen(ret->file);
        ret->deleted = n > strlen(DELETED) && streq(ret->file + n - strlen(DELETED), DELETED);
        if (ret->deleted)
                ret->file[n - strlen(DELETED)] = '\0';
        return n > 0 ? 0 : -ENOENT;
}

static int open_device(const char *name, int flags)
{
        char path[80];
        int fd;

        (void)snprintf(path, sizeof(path), "/dev/%.60s", name);
        fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        return fd < 0 ? -errno : fd;
}

/* The kernel's own encoding of a device number, include/linux/kdev_t.h. */
static dev_t decode_dev(uint64_t v)
{
        return makedev((v >> 8) & 0xfff, (v & 0xff) | ((v >> 12) & 0xfff00));
}

int loop_is_on(const char *name, const char *path)
{
        _cleanup_(closep) int fd = open_device(name, O_RDONLY);
        struct loop_info64 info;
        struct stat st;

        if (fd < 0)
                return fd;
        if (ioctl(fd, LOOP_GET_STATUS64, &info) < 0 || stat(path, &st) < 0)
                return -errno;
        return decode_dev(info.lo_device) == st.st_dev && info.lo_inode == st.st_ino;
}

int loop_clear(const char *name, dev_t dev)
{
        _cleanup_(closep) int fd = open_device(name, O_RDONLY | O_EXCL);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode) || st.st_rdev != dev)
                return -ESTALE;
        if (ioctl(fd, LOOP_CLR_FD) < 0 && errno != ENXIO)
                return -errno;
        return 0;
}

int loop_keep(const char *name)
{
        _cleanup_(closep) int fd = open_device(name, O_RDONLY);
        struct loop_info64 info;

        if (fd < 0)
                return fd;
        if (ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
                return -errno;
        info.lo_flags &= ~(uint32_t)LO_FLAGS_AUTOCLEAR;
        return ioctl(fd, LOOP_SET_STATUS64, &info) < 0 ? -errno : 0;
}

static int add_device(const char *name)
{
        _cleanup_(closep) int fd = -EBADF;
        uint64_t number;

        if (strncmp(name, "loop", 4) != 0 || parse_u64(name + 4, &number) < 0)
                return -EINVAL;
        fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return ioctl(fd, LOOP_CTL_ADD, (unsigned long)number) < 0 && errno != EEXIST ? -errno : 0;
}

/* For writing, or the kernel makes it a read-only one. */
int loop_open(const char *name)
{
        int fd = open_device(name, O_RDWR), r;

        if (fd != -ENOENT && fd != -ENXIO)
                return fd;
        r = add_device(name);
        return r < 0 ? r : open_device(name, O_RDWR);
}

int loop_configure(int fd, const LoopConfig *c)
{
        _cleanup_(closep) int file_fd =
                open(c->file, (c->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
        struct loop_config config = {
                .block_size = (uint32_t)c->block_size,
                .info.lo_offset = c->offset,
                .info.lo_sizelimit = c->sizelimit,
                .info.lo_flags = (c->read_only ? LO_FLAGS_READ_ONLY : 0U) |
                                 (c->autoclear ? LO_FLAGS_AUTOCLEAR : 0U) |
                                 (c->partscan ? LO_FLAGS_PARTSCAN : 0U) |
                                 (c->direct_io ? LO_FLAGS_DIRECT_IO : 0U),
        };

        if (file_fd < 0)
                return -errno;
        config.fd = (uint32_t)file_fd;
        (void)snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%.63s",
                c->file);
        return ioctl(fd, LOOP_CONFIGURE, &config) < 0 ? -errno : 0;
}
