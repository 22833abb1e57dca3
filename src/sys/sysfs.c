/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attributes, links and directories of sysfs, read and written the way the kernel expects: an
 * attribute is one read or one write. Reading an attribute may sleep on the device's lock for as
 * long as an unbind runs (kernel, drivers/nvdimm/pfn_devs.c), so this belongs into a process that
 * may be lost. */

#include <fcntl.h>
#include <glob.h>
#include <limits.h>

#include "sys/sysfs.h"

static int path_join(char path[static PATH_MAX], const char *dir, const char *name)
{
        int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

        return n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int sysfs_read(const char *dir, const char *attribute, char *buf, size_t size)
{
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];
        size_t done = 0;
        ssize_t n;
        int r;

        r = path_join(path, dir, attribute);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        do {
                if (done == size)
                        return -ENOBUFS;
                n = read(fd, buf + done, size - done);
                if (n < 0)
                        return -errno;
                done += (size_t)n;
        } while (n > 0);
        if (done > 0 && buf[done - 1] == '\n')
                done--;
        buf[done] = '\0';
        return 0;
}

int sysfs_read_u64(const char *dir, const char *attribute, uint64_t *ret)
{
        char buf[32];
        int r;

        r = sysfs_read(dir, attribute, buf, sizeof(buf));
        if (r < 0)
                return r;
        return parse_u64(buf, ret);
}

int sysfs_write(const char *path, const char *value)
{
        _cleanup_(closep) int fd = -EBADF;
        size_t size = strlen(value);
        ssize_t n;

        fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        /* Not repeated after EINTR: a second unbind or eject is another request, not the rest of
         * the first. */
        n = write(fd, value, size);
        if (n < 0)
                return -errno;
        return (size_t)n == size ? 0 : -EIO;
}

int sysfs_link_name(const char *dir, const char *link, char *buf, size_t size)
{
        char path[PATH_MAX], target[PATH_MAX];
        const char *name;
        ssize_t n;
        int r;

        r = path_join(path, dir, link);
        if (r < 0)
                return r;
        n = readlink(path, target, sizeof(target));
        if (n < 0)
                return -errno;
        if ((size_t)n == sizeof(target))
                return -ENAMETOOLONG;
        target[n] = '\0';
        name = strrchr(target, '/');
        name = name ? name + 1 : target;
        if (strlen(name) >= size)
                return -ENOBUFS;
        memcpy(buf, name, strlen(name) + 1);
        return 0;
}

int sysfs_devnum(const char *dir, dev_t *ret)
{
        char buf[DEVNUM_MAX];
        int r;

        r = sysfs_read(dir, "dev", buf, sizeof(buf));
        if (r < 0)
                return r;
        return parse_devnum(buf, ret);
}

/* nmem2 before nmem10, so that plans read well. */
static int compare_names(const void *a, const void *b)
{
        return strverscmp(*(char *const *)a, *(char *const *)b);
}

int sysfs_list(const char *dir, char ***ret)
{
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        int r;

        r = strv_split("", &names);
        if (r < 0)
                return r;
        d = opendir(dir);
        if (!d)
                return -errno;
        while ((errno = 0, entry = readdir(d))) {
                if (entry->d_name[0] == '.')
                        continue;
                r = strv_append(&names, entry->d_name);
                if (r < 0)
                        return r;
        }
        if (errno)
                return -errno;
        qsort(names, strv_length(names), sizeof(char *), compare_names);
        *ret = TAKE_PTR(names);
        return 0;
}

/* A folder that cannot be read is an error, but one that went away meanwhile is not. */
static int glob_error(const char *path, int error)
{
        return error != ENOENT && error != ENOTDIR;
}

int sysfs_glob(const char *pattern, char ***ret)
{
        _cleanup_(strv_freep) char **paths = NULL;
        glob_t g = { 0 };
        int r;

        r = strv_split("", &paths);
        if (r < 0)
                return r;
        r = glob(pattern, 0, glob_error, &g);
        r = r == 0 || r == GLOB_NOMATCH ? 0 : r == GLOB_NOSPACE ? -ENOMEM : -EIO;
        for (size_t i = 0; i < g.gl_pathc && r == 0; i++)
                r = strv_append(&paths, g.gl_pathv[i]);
        globfree(&g);
        if (r == 0)
                *ret = TAKE_PTR(paths);
        return r;
}
