/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A reconfigured superblock keeps the options that are not named (fs/xfs/xfs_super.c
 * xfs_fs_reconfigure(), fs/ext4/super.c ext4_reconfigure(), 6.1 and 6.12), unlike the remount of
 * mount(2), which has to repeat all of them. */

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "sys/readonly.h"

int superblock_set_readonly(const char *target, dev_t dev, bool readonly)
{
        _cleanup_(closep) int dir_fd = -EBADF, fs_fd = -EBADF;
        struct stat st;

        /* No automount is walked into, and what is opened is what is compared. */
        dir_fd = open(target, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir_fd < 0 || fstat(dir_fd, &st) < 0)
                return -errno;
        if (st.st_dev != dev)
                return -ESTALE;
        fs_fd = fspick(dir_fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT);
        if (fs_fd < 0)
                return -errno;
        if (fsconfig(fs_fd, FSCONFIG_SET_FLAG, readonly ? "ro" : "rw", NULL, 0) < 0)
                return -errno;
        return fsconfig(fs_fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0 ? -errno : 0;
}
