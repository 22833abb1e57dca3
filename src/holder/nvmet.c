/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Namespaces that the NVMe target serves from a pmem disk or from a file on the memory. A disk is
 * opened without a claim (nvmet_bdev_ns_enable(), drivers/nvme/target/io-cmd-bdev.c, 6.1 and 6.12),
 * so O_EXCL succeeds beside it, even a mount does; a file keeps its filesystem busy. Neither shows
 * in any process or holders directory: configfs is all there is. */

#include "holder/holder.h"
#include "kinds.h"
#include "sys/sysfs.h"
#include "util/shell.h"

static int scan_namespace(HolderScan *scan, const char *dir)
{
        _cleanup_(freep) char *name = NULL, *file = NULL;
        char path[4096], word[SHELL_WORD_MAX];
        uint64_t enabled;
        Node *below;

        if (sysfs_read_u64(dir, "enable", &enabled) < 0 || enabled == 0 ||
                sysfs_read(dir, "device_path", path, sizeof(path)) < 0)
                return 0;
        below = holder_by_path(scan->graph, path);
        if (!below)
                return 0;
        name = string_printf("nvmet:%s", path);
        file = string_printf("%s/enable", dir);
        return !name || !file ? -ENOMEM
                              : holder_add_blocker(scan, below, name, "NVMe target",
                                        "the NVMe target serves %s; run echo 0 >%s and ask again",
                                        path, shell_word(file, word, sizeof(word)));
}

static int nvmet_discover(HolderScan *scan, Failure *f)
{
        _cleanup_(strv_freep) char **dirs = NULL;
        int r = sysfs_glob("/sys/kernel/config/nvmet/subsystems/*/namespaces/*", &dirs);

        for (char **dir = dirs; dir && *dir && r == 0; dir++)
                r = scan_namespace(scan, *dir);
        return r;
}

const HolderOps holder_nvmet = {
        .kind = KIND_HOLDER,
        .discover_all = nvmet_discover,
};
