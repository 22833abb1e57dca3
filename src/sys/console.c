/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The console log level. It is the first of the four numbers of the sysctl; a write of one number
 * changes that one only (kernel/sysctl.c, proc_dointvec). */

#include <limits.h>

#include "sys/console.h"
#include "sys/sysfs.h"

#define DIRECTORY "/proc/sys/kernel"

int console_level_get(int *ret)
{
        char buf[64];
        uint64_t v;
        int r;

        r = sysfs_read(DIRECTORY, "printk", buf, sizeof(buf));
        if (r < 0)
                return r;
        buf[strcspn(buf, " \t")] = '\0';
        r = parse_u64(buf, &v);
        if (r < 0)
                return r;
        if (v > INT_MAX)
                return -ERANGE;
        *ret = (int)v;
        return 0;
}

int console_level_set(int level)
{
        char buf[16];

        if (level < 0)
                return -EINVAL;
        (void)snprintf(buf, sizeof(buf), "%d", level);
        return sysfs_write(DIRECTORY "/printk", buf);
}
