/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Events of the subsystems nd, block and dax, as udev sends them on after its rules have run: nodes
 * and links exist then. They are hints to look again, never the truth about a device. */

#include "sys/udev.h"

#include <libudev.h>

DEFINE_CLEANUP(struct udev_device *, udev_device_unref);

struct UdevMonitor {
        struct udev *udev;
        struct udev_monitor *monitor;
};

static const char *const subsystems[] = { "nd", "block", "dax" };

UdevMonitor *udev_monitor_free(UdevMonitor *m)
{
        if (!m)
                return NULL;
        if (m->monitor)
                udev_monitor_unref(m->monitor);
        if (m->udev)
                udev_unref(m->udev);
        free(m);
        return NULL;
}

static int monitor_start(struct udev_monitor *monitor)
{
        int r;

        for (size_t i = 0; i < ELEMENTSOF(subsystems); i++) {
                r = udev_monitor_filter_add_match_subsystem_devtype(monitor, subsystems[i], NULL);
                if (r < 0)
                        return r;
        }
        return udev_monitor_enable_receiving(monitor);
}

int udev_monitor_open(UdevMonitor **ret)
{
        _cleanup_(udev_monitor_freep) UdevMonitor *m = NULL;
        int r;

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->udev = udev_new();
        if (!m->udev)
                return -ENOMEM;
        m->monitor = udev_monitor_new_from_netlink(m->udev, "udev");
        if (!m->monitor)
                return errno > 0 ? -errno : -ENOMEM;
        r = monitor_start(m->monitor);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

int udev_monitor_fd(UdevMonitor *m)
{
        return udev_monitor_get_fd(m->monitor);
}

/* The socket does not block: no device is no event, whatever libudev's errno says about it. ENOBUFS
 * is passed on, because then events were lost and the caller must look at everything. */
int udev_monitor_next(UdevMonitor *m, UdevEvent *ret)
{
        _cleanup_(udev_device_unrefp) struct udev_device *d = NULL;

        errno = 0;
        d = udev_monitor_receive_device(m->monitor);
        if (!d)
                return errno == ENOBUFS ? -ENOBUFS : 0;
        (void)snprintf(ret->action, sizeof(ret->action), "%s", strempty(udev_device_get_action(d)));
        (void)snprintf(ret->subsystem, sizeof(ret->subsystem), "%s",
                strempty(udev_device_get_subsystem(d)));
        (void)snprintf(
                ret->sysname, sizeof(ret->sysname), "%s", strempty(udev_device_get_sysname(d)));
        return 1;
}
