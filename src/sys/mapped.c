/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sys/mapped.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/text.h"

void file_set_done(FileSet *s)
{
        for (size_t i = 0; i < s->n; i++)
                (void)safe_close(s->items[i].fd);
        free(s->items);
        *s = (FileSet){ 0 };
}

static bool file_set_has(const FileSet *s, ino_t ino)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->items[i].ino == ino)
                        return true;
        return false;
}

/* The link leads to the mapped file itself, also when its name is gone or means another. No sync:
 * it may be one of a server that does not answer (fuse_update_get_attr(), fs/fuse/dir.c), and what
 * stands on a disk is known without. */
static int add_file(FileSet *s, int dir_fd, const char *name, dev_t dev)
{
        _cleanup_(closep) int fd = -EBADF;
        struct MappedFile *grown;
        struct statx st;

        if (statx(dir_fd, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO, &st) <
                        0 ||
                makedev(st.stx_dev_major, st.stx_dev_minor) != dev || !S_ISREG(st.stx_mode) ||
                file_set_has(s, st.stx_ino))
                return 0;
        fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        grown = reallocarray(s->items, s->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        s->items = grown;
        s->items[s->n++] = (struct MappedFile){ .fd = TAKE_FD(fd), .ino = st.stx_ino };
        return 0;
}

int file_set_add(FileSet *s, pid_t pid, dev_t dev)
{
        _cleanup_(closedirp) DIR *d = NULL;
        char path[48];
        int r = 0;

        (void)snprintf(path, sizeof(path), "/proc/%d/map_files", pid);
        d = opendir(path);
        if (!d)
                return errno == ENOENT || errno == ESRCH ? 0 : -errno;
        for (struct dirent *e; r == 0 && (e = readdir(d));)
                if (*e->d_name != '.')
                        r = add_file(s, dirfd(d), e->d_name, dev);
        return r;
}

int file_set_sync(const FileSet *s)
{
        for (size_t i = 0; i < s->n; i++)
                if (fsync(s->items[i].fd) < 0)
                        return -errno;
        return 0;
}
