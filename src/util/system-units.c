/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "util/system-units.h"

#include "util/text.h"

bool unit_is_system(const char *unit)
{
        /* systemd-journald@: the journals of other namespaces, LogNamespace=. */
        static const char *const units[] = { "init.scope", "pmemremoved.service",
                "systemd-journald.service", "systemd-journald@*", "dbus.service",
                "dbus-broker.service", "systemd-udevd.service", "systemd-logind.service",
                "polkit.service", NULL };

        return unit && strv_fnmatch((char *const *)units, unit);
}

bool unit_is_rescue(const char *unit)
{
        static const char *const units[] = { "init.scope", "pmemremoved.service", "dbus.service",
                "dbus.socket", "dbus-broker.service", "polkit.service", "systemd-*",
                "sysinit.target", "basic.target", "local-fs.target", "-.slice", "-.mount", NULL };
        /* Containers of nspawn and core dumps are systemd's by name only. */
        static const char *const others[] = { "systemd-nspawn@*.service",
                "systemd-coredump@*.service", NULL };

        return unit && strv_fnmatch((char *const *)units, unit) &&
               !strv_fnmatch((char *const *)others, unit);
}
