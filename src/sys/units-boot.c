/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What makes a boot start a unit, and how it is kept from that. A masked unit would not do: what
 * requires it fails then, and local-fs.target takes the boot into emergency mode. A dependency that
 * is a link can be masked alone, by a link of the same name to /dev/null in a folder that comes
 * before (process_deps(), src/core/load-dropin.c, 252). */

#include <sys/stat.h>

#include "sys/units-bus.h"
#include "sys/units.h"

/* What a boot goes through; what else requires a mount is somebody's own decision. */
static const char *const milestones[] = { "local-fs.target.requires", "local-fs.target.wants",
        "remote-fs.target.requires", "remote-fs.target.wants" };

static bool is_linked(const char *link)
{
        for (const char *const *folder = unit_folders; *folder; folder++) {
                _cleanup_(freep) char *path = string_printf("%s/%s", *folder, link);
                struct stat st;

                if (!path || lstat(path, &st) == 0)
                        return true;
        }
        return false;
}

int unit_boot_links(const char *name, char ***ret)
{
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(milestones) && r == 0; i++) {
                _cleanup_(freep) char *link = string_printf("%s/%s", milestones[i], name);

                if (!link)
                        return -ENOMEM;
                if (is_linked(link))
                        r = strv_append(ret, link);
        }
        return r;
}

int unit_boot_link_is_hidden(const char *folder, const char *link)
{
        _cleanup_(freep) char *path = string_printf("%s/%s", folder, link);
        char target[16] = "";
        ssize_t n;

        if (!path)
                return -ENOMEM;
        n = readlink(path, target, sizeof(target) - 1);
        if (n < 0)
                return errno == ENOENT ? 0 : errno == EINVAL ? -EEXIST : -errno;
        return streq(target, "/dev/null") ? 1 : -EEXIST;
}

/* Whoever lists the folder should be able to read it, whatever the umask is. */
static int make_folder(const char *path)
{
        if (mkdir(path, 0755) < 0)
                return errno == EEXIST ? 0 : -errno;
        return chmod(path, 0755) < 0 ? -errno : 0;
}

int unit_boot_link_hide(const char *folder, const char *link)
{
        _cleanup_(freep) char *path = string_printf("%s/%s", folder, link);
        _cleanup_(freep) char *parent =
                string_printf("%s/%.*s", folder, (int)strcspn(link, "/"), link);
        int r;

        if (!path || !parent)
                return -ENOMEM;
        r = make_folder(folder);
        if (r == 0)
                r = make_folder(parent);
        return r < 0 ? r : symlink("/dev/null", path) < 0 ? -errno : 0;
}

int unit_boot_link_show(const char *folder, const char *link)
{
        _cleanup_(freep) char *path = string_printf("%s/%s", folder, link);

        if (!path)
                return -ENOMEM;
        if (unit_boot_link_is_hidden(folder, link) <= 0)
                return 0;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}
