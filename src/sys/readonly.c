/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A reconfigured superblock keeps the options that are not named (fs/xfs/xfs_super.c
 * xfs_fs_reconfigure(), fs/ext4/super.c ext4_reconfigure(), 6.1 and 6.12), unlike the remount of
 * mount(2), which has to repeat all of them. */

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "sys/mounts.h"
#include "sys/readonly.h"

/* The root of the first mount that can be opened; others may be hidden or just going. */
static int open_any(dev_t dev)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        int fd = mounts_read_all(&l);

        if (fd < 0)
                return fd;
        fd = -ENOENT;
        for (size_t i = 0; i < l.n && fd < 0; i++) {
                const Mount *m = l.items + i;
                const MountPlace place = mount_place(m);

                if (m->dev == dev)
                        fd = mounts_open(&place);
        }
        return fd;
}

int superblock_set_readonly(dev_t dev, bool readonly)
{
        _cleanup_(closep) int root_fd = open_any(dev), fs_fd = -EBADF;
        struct statvfs st;

        if (root_fd < 0)
                return root_fd;
        /* reconfigure_super() (fs/super.c, 6.12) refuses what is frozen before it looks whether
         * there is anything to change. */
        if (!readonly && fstatvfs(root_fd, &st) == 0 && !(st.f_flag & ST_RDONLY))
                return 0;
        fs_fd = fspick(root_fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT);
        if (fs_fd < 0)
                return -errno;
        if (fsconfig(fs_fd, FSCONFIG_SET_FLAG, readonly ? "ro" : "rw", NULL, 0) < 0)
                return -errno;
        return fsconfig(fs_fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0 ? -errno : 0;
}
