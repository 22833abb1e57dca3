/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sys/fstab.h"

#include <mntent.h>

#include "util/text.h"

/* Longer lines are cut by getmntent_r(3). */
#define LINE_MAX_BYTES 4096

static bool is_same(const char *dir, const char *target)
{
        size_t n = strlen(dir);

        while (n > 1 && dir[n - 1] == '/')
                n--;
        return strlen(target) == n && strncmp(dir, target, n) == 0;
}

/* An automount point is there without waiting for any device. */
static bool waits(const struct mntent *m)
{
        static const char *const patient[] = { "nofail", "noauto", "x-systemd.automount" };

        for (size_t i = 0; i < ELEMENTSOF(patient); i++)
                if (hasmntopt(m, patient[i]))
                        return false;
        return true;
}

int fstab_waits(const char *file, const char *target)
{
        FILE *f = setmntent(file, "re");
        char line[LINE_MAX_BYTES];
        struct mntent m;
        int found = 0;

        if (!f)
                return errno == ENOENT ? 0 : -errno;
        while (!found && getmntent_r(f, &m, line, sizeof(line)))
                found = is_same(m.mnt_dir, target) && waits(&m);
        (void)endmntent(f);
        return found;
}
