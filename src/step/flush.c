/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deep flush of one region, after the last write: nd_pmem's own flush in the unbind comes before
 * the filesystem's last words and swallows its error (drivers/nvdimm/pmem.c nd_pmem_remove, 6.12);
 * writing 1 to deep_flush reports it. On virtio-pmem that write waits for the host, as long as the
 * host likes (virtio_pmem_flush(), drivers/nvdimm/nd_virtio.c, 6.1 and 6.12: wait_event()). */

#include "step/common.h"
#include "sys/sysfs.h"

static int flush_in_child(void *arg)
{
        char dir[128], path[160];
        uint64_t needed;
        int r;

        (void)snprintf(dir, sizeof(dir), "/sys/bus/nd/devices/%s", step_node(arg));
        (void)snprintf(path, sizeof(path), "%s/deep_flush", dir);
        r = sysfs_read_u64(dir, "deep_flush", &needed);
        /* Missing where flushing is done by other means, 0 where the platform flushes by itself:
         * then the attribute is read-only (region_visible(), drivers/nvdimm/region_devs.c). */
        if (r == -ENOENT || (r == 0 && needed == 0))
                return 0;
        return r < 0 ? r : sysfs_write(path, "1");
}

static int flush_apply(const Step *s, Run *run, Failure *f)
{
        int r = step_call(s, run, flush_in_child, f);

        if (r == 0 || r == -ECANCELED)
                return r;
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "its deep flush did not come back in time; the kernel waits for the "
                        "storage, in a virtual machine for its host");
        return failure_set(f, FAILURE_FAILED, r, step_node(s),
                "its deep flush failed (%s): the last writes may not be on the media",
                strerror(-r));
}

static int flush_revert(const Step *s, Run *run, Failure *f)
{
        return 0;
}

const StepOps step_flush = {
        .name = "flush",
        .title = "flushing",
        .apply = flush_apply,
        .revert = flush_revert,
};
