/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bind and unbind of the nd and the dax bus. Nothing is decided or undone here, and no result is
 * believed: callers read the state back. */

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

static int driver_write(
        const char *bus, const char *driver, const char *attribute, const char *device)
{
        char path[PATH_MAX];
        int n, r;

        r = name_check(driver);
        if (r < 0)
                return r;
        r = name_check(device);
        if (r < 0)
                return r;
        n = snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s/%s", bus, driver, attribute);
        if (n >= (int)sizeof(path))
                return -EINVAL;
        r = sysfs_write(path, device);
        /* A driver that is not there has nothing bound to it and cannot take anything. */
        return r == -ENOENT ? -ENODEV : r;
}

static int driver_of(const char *bus, const char *device, char *buf, size_t size)
{
        char dir[PATH_MAX];
        int n, r;

        r = name_check(device);
        if (r < 0)
                return r;
        n = snprintf(dir, sizeof(dir), "/sys/bus/%s/devices/%s", bus, device);
        if (n >= (int)sizeof(dir))
                return -EINVAL;
        return sysfs_link_name(dir, "driver", buf, size);
}

int bind_detach(const char *driver, const char *device)
{
        return driver_write("nd", driver, "unbind", device);
}

int bind_attach(const char *driver, const char *device)
{
        return driver_write("nd", driver, "bind", device);
}

int bind_driver(const char *device, char *buf, size_t size)
{
        return driver_of("nd", device, buf, size);
}

int bind_dax_detach(const char *driver, const char *device)
{
        return driver_write("dax", driver, "unbind", device);
}

/* A driver takes only devices whose names it was told, but for device_dax, which takes all; telling
 * it one name binds it as well, and telling it again changes nothing (do_id_store(),
 * drivers/dax/bus.c, 6.1 and 6.12). */
int bind_dax_attach(const char *driver, const char *device)
{
        int r = driver_write("dax", driver, "bind", device);

        return r == -ENODEV ? driver_write("dax", driver, "new_id", device) : r;
}

int bind_dax_driver(const char *device, char *buf, size_t size)
{
        return driver_of("dax", device, buf, size);
}
