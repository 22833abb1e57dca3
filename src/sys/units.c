/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which unit a process belongs to, read from its cgroup without asking the service manager. Only
 * system units are told: the name of a user's own unit would be looked up, and stopped, in the
 * wrong manager. */

#include <systemd/sd-login.h>

#include "sys/units.h"

int unit_of_pid(pid_t pid, char *buf, size_t size)
{
        _cleanup_(freep) char *unit = NULL;
        int r;

        r = sd_pid_get_unit(pid, &unit);
        /* ENXIO: a cgroup that systemd did not make; ENOMEDIUM: no cgroup hierarchy of systemd. */
        if (r == -ENXIO || r == -ENOMEDIUM)
                return -ENODATA;
        if (r < 0)
                return r;
        if (strlen(unit) >= size)
                return -ENOBUFS;
        memcpy(buf, unit, strlen(unit) + 1);
        return 0;
}
