/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "sys/frost-note.h"

static char *note_path(const char *dir, const char *name)
{
        return strchr(name, '/') ? NULL : string_printf("%s/frost-%s", dir, name);
}

/* The room is taken now: a page that is missing on a full /run would be a SIGBUS for the guardian.
 */
static int note_map(int fd, FrostNote **ret)
{
        void *p;

        if (fallocate(fd, 0, 0, sizeof(FrostNote)) < 0)
                return -errno;
        p = mmap(NULL, sizeof(FrostNote), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        *ret = p;
        return 0;
}

int frost_note_make(const char *dir, const char *name, FrostNote **ret)
{
        _cleanup_(freep) char *path = note_path(dir, name);
        _cleanup_(closep) int fd = -EBADF;
        int r;

        if (!path)
                return -EINVAL;
        /* The guardian of an earlier one keeps writing into that. */
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = note_map(fd, ret);
        if (r < 0)
                (void)unlink(path);
        return r;
}

int frost_note_read(const char *dir, const char *name, FrostNote *ret)
{
        _cleanup_(freep) char *path = note_path(dir, name);
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        if (!path)
                return -EINVAL;
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
                return -EPERM;
        return pread(fd, ret, sizeof(*ret), 0) == sizeof(*ret) ? 0 : -EBADMSG;
}

void frost_note_unmap(FrostNote *n)
{
        if (n)
                (void)munmap(n, sizeof(*n));
}

void frost_note_remove(const char *dir, const char *name)
{
        _cleanup_(freep) char *path = note_path(dir, name);

        if (path)
                (void)unlink(path);
}
