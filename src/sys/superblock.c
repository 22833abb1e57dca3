/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Superblocks by what they show in sysfs. A filesystem's directory there is made when it is mounted
 * for the first time and taken away when its superblock is put (fs/xfs/xfs_super.c,
 * fs/ext4/sysfs.c), so it outlives the last mount as long as anything uses the filesystem. */

#include "sys/superblock.h"

#include <glob.h>

#include "sys/mounts.h"
#include "sys/sysfs.h"

/* What it is called there: by its block device, or for btrfs among the devices of a filesystem. */
static const struct {
        const char *type;
        const char *dir;
} homes[] = {
        { "XFS", "/sys/fs/xfs" },
        { "ext4", "/sys/fs/ext4" },
        { "f2fs", "/sys/fs/f2fs" },
        { "btrfs", "/sys/fs/btrfs/*/devices" },
};

static int match(const char *dir, const char *disk, const char *part, Superblock *ret)
{
        _cleanup_(freep) char *pattern = string_printf("%s/%s%s", dir, disk, part);
        glob_t found = { 0 };
        int r;

        if (!pattern)
                return -ENOMEM;
        r = glob(pattern, 0, NULL, &found);
        if (r == 0)
                (void)snprintf(ret->device, sizeof(ret->device), "%s",
                        strrchr(found.gl_pathv[0], '/') + 1);
        globfree(&found);
        return r == 0 ? 1 : r == GLOB_NOMATCH ? 0 : r == GLOB_NOSPACE ? -ENOMEM : -EIO;
}

int superblock_find(const char *disk, Superblock *ret)
{
        static const char *const parts[] = { "", "p[0-9]*" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(homes) && r == 0; i++)
                for (size_t k = 0; k < ELEMENTSOF(parts) && r == 0; k++) {
                        r = match(homes[i].dir, disk, parts[k], ret);
                        ret->type = homes[i].type;
                }
        return r;
}

/* btrfs has device numbers of its own, so its mounts are known by their source. */
static bool is_mount_of(const Mount *m, dev_t dev, const char *device)
{
        const char *source = m->source ? strrchr(m->source, '/') : NULL;

        return m->dev == dev || (source && streq(source + 1, device));
}

int superblock_find_ghost(const char *disk, Superblock *ret)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        _cleanup_(freep) char *dir = NULL;
        dev_t dev;
        int r;

        r = superblock_find(disk, ret);
        if (r <= 0)
                return r;
        dir = string_printf("/sys/class/block/%s", ret->device);
        if (!dir)
                return -ENOMEM;
        r = sysfs_devnum(dir, &dev);
        if (r == 0)
                r = mounts_read_all(&l);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l.n; i++)
                if (is_mount_of(l.items + i, dev, ret->device))
                        return 0;
        return 1;
}
