/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* FIFREEZE, FITHAW and syncfs(2) on a descriptor, with their errors as they come. */

#include <linux/fs.h>
#include <sys/ioctl.h>

#include "sys/freeze.h"

int freeze_fs(int fd)
{
        return ioctl(fd, FIFREEZE, 0) < 0 ? -errno : 0;
}

int thaw_fs(int fd)
{
        return ioctl(fd, FITHAW, 0) < 0 ? -errno : 0;
}

int sync_fs(int fd)
{
        return syncfs(fd) < 0 ? -errno : 0;
}
