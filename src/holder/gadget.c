/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files and disks that a USB gadget offers as mass storage; held open inside the kernel
 * (fsg_lun_open(), drivers/usb/gadget/function/storage_common.c, 6.1 and 6.12). */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"
#include "util/shell.h"

static int scan_lun(HolderScan *scan, const char *dir)
{
        _cleanup_(freep) char *name = NULL, *file = NULL;
        char path[4096], word[SHELL_WORD_MAX];
        Node *below;

        if (sysfs_read(dir, "file", path, sizeof(path)) < 0 || !*path)
                return 0;
        below = holder_by_path(scan->graph, path);
        if (!below)
                return 0;
        name = string_printf("gadget:%s", path);
        file = string_printf("%s/forced_eject", dir);
        return !name || !file ? -ENOMEM
                              : holder_add_blocker(scan, below, name, "USB gadget",
                                        "a USB gadget offers %s as mass storage; run echo 1 "
                                        ">%s and ask again",
                                        path, shell_word(file, word, sizeof(word)));
}

static int gadget_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(strv_freep) char **dirs = NULL;
        int r = sysfs_glob("/sys/kernel/config/usb_gadget/*/functions/mass_storage.*/lun.*", &dirs);

        for (char **dir = dirs; dir && *dir && r == 0; dir++)
                r = scan_lun(scan, *dir);
        return r;
}

const HolderOps holder_gadget = {
        .kind = KIND_HOLDER,
        .discover_all = gadget_discover,
};
