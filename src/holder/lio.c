/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Backstores of the SCSI target: iblock claims a disk, fileio keeps a file (or a disk, without a
 * claim) open from inside the kernel, where no process shows it (fd_configure_device(),
 * drivers/target/target_core_file.c, 6.1 and 6.12). vhost-scsi serves the same backstores; other
 * vhosts keep what they use open in a process, which the process scan finds. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"
#include "util/shell.h"

/* What the text of info says behind these words; a backstore that was not set up says nothing
 * (fd_show_configfs_dev_params(), iblock_show_configfs_dev_params()). */
static const struct {
        const char *before;
        const char *after;
        const char *prefix; /* the kernel prints a disk's name only */
} backings[] = {
        { "iBlock device: ", "  UDEV PATH:", "/dev/" },
        { "File: ", "  Size: ", "" },
};

static char *find_backing(const char *info)
{
        for (size_t i = 0; i < ELEMENTSOF(backings); i++) {
                const char *from = strstr(info, backings[i].before), *end;

                if (!from)
                        continue;
                from += strlen(backings[i].before);
                end = strstr(from, backings[i].after);
                if (end && end > from)
                        return string_printf("%s%.*s", backings[i].prefix, (int)(end - from), from);
        }
        return NULL;
}

static int scan_backstore(HolderScan *scan, const char *dir)
{
        _cleanup_(freep) char *path = NULL, *name = NULL;
        char info[8192], word[SHELL_WORD_MAX];
        Node *below;

        if (sysfs_read(dir, "info", info, sizeof(info)) < 0)
                return 0;
        path = find_backing(info);
        below = path ? holder_by_path(scan->graph, path) : NULL;
        if (!below)
                return 0;
        name = string_printf("lio:%s", path);
        return !name ? -ENOMEM
                     : holder_add_blocker(scan, below, name, "SCSI target",
                               "the SCSI target serves %s; delete its backstore (targetcli, or "
                               "rmdir %s) and ask again",
                               path, shell_word(dir, word, sizeof(word)));
}

static int lio_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(strv_freep) char **dirs = NULL;
        int r = sysfs_glob("/sys/kernel/config/target/core/*_*/*", &dirs);

        for (char **dir = dirs; dir && *dir && r == 0; dir++)
                r = scan_backstore(scan, *dir);
        return r;
}

const HolderOps holder_lio = {
        .kind = KIND_HOLDER,
        .discover_all = lio_discover,
};
