/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "util/own-file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "util/text.h"

#define FOREIGN (-EPERM)
#define NO_FILE (-EBADFD)
#define TWO_NAMES (-EMLINK)

static const struct {
        int err;
        const char *cause;
} causes[] = {
        { FOREIGN, "it belongs to another user, or others may read or write it" },
        /* The daemon has given up what root may do with files of others. */
        { -EACCES, "it belongs to another user, or others may read or write it" },
        { NO_FILE, "it is no plain file" },
        { -ENXIO, "it is no plain file" },
        { -EISDIR, "it is a directory" },
        { -ENOTDIR, "it is no directory" },
        { -ELOOP, "it is a symbolic link" },
        { TWO_NAMES, "it has another name as well (a hard link)" },
        { -EFBIG, "it is too long" },
        { -EBADMSG, "its text is damaged" },
        { -EPROTONOSUPPORT, "another version of pmemremoved wrote it" },
        { -ESTALE, "its name is not the one it was written under" },
};

const char *own_file_cause(int err)
{
        for (size_t i = 0; i < ELEMENTSOF(causes); i++)
                if (causes[i].err == err)
                        return causes[i].cause;
        return strerror(err < 0 ? -err : err);
}

static int check_owner(const struct stat *st, mode_t others)
{
        return st->st_uid != geteuid() || (st->st_mode & others) != 0 ? FOREIGN : 0;
}

int own_folder_open(const char *path)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        r = check_owner(&st, S_IWGRP | S_IWOTH);
        return r < 0 ? r : TAKE_FD(fd);
}

int own_file_check(int fd)
{
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return NO_FILE;
        r = check_owner(&st, S_IRWXG | S_IRWXO);
        if (r < 0)
                return r;
        /* None is what a ledger has whose removal was forgotten while a worker had it open. */
        return st.st_nlink > 1 ? TWO_NAMES : 0;
}

/* O_NONBLOCK: a FIFO would wait for its other end, a file with a lease for its holder (fcntl(2)).
 * On a plain file it changes nothing. */
int own_file_open(int dir_fd, const char *path, int flags)
{
        _cleanup_(closep) int fd = openat(dir_fd, path,
                flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, S_IRUSR | S_IWUSR);
        int r;

        if (fd < 0)
                return -errno;
        r = own_file_check(fd);
        return r < 0 ? r : TAKE_FD(fd);
}
