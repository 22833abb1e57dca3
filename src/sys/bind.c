/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bind and unbind of the nd bus. Nothing is decided or undone here, and no result is believed:
 * callers read the state back. */

#include <limits.h>

#include "sys/bind.h"
#include "sys/sysfs.h"

/* Names go into paths below /sys: "../../.." would write to somebody else's attribute. */
static int name_check(const char *name)
{
        if (!*name || *name == '.' || strpbrk(name, "/\n"))
                return -EINVAL;
        return 0;
}

static int driver_write(const char *driver, const char *attribute, const char *device)
{
        char path[PATH_MAX];
        int n, r;

        r = name_check(driver);
        if (r < 0)
                return r;
        r = name_check(device);
        if (r < 0)
                return r;
        n = snprintf(path, sizeof(path), "/sys/bus/nd/drivers/%s/%s", driver, attribute);
        if (n >= (int)sizeof(path))
                return -EINVAL;
        r = sysfs_write(path, device);
        /* A driver that is not there has nothing bound to it and cannot take anything. */
        return r == -ENOENT ? -ENODEV : r;
}

int bind_detach(const char *driver, const char *device)
{
        return driver_write(driver, "unbind", device);
}

int bind_attach(const char *driver, const char *device)
{
        return driver_write(driver, "bind", device);
}

int bind_driver(const char *device, char *buf, size_t size)
{
        char dir[PATH_MAX];
        int n, r;

        r = name_check(device);
        if (r < 0)
                return r;
        n = snprintf(dir, sizeof(dir), "/sys/bus/nd/devices/%s", device);
        if (n >= (int)sizeof(dir))
                return -EINVAL;
        return sysfs_link_name(dir, "driver", buf, size);
}
