/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device-dax instances on namespaces. Those of other memory (HBM, CXL regions given to the system)
 * stand on no namespace and are not ours. Nothing here opens a device. */

#include "sys/daxctl.h"

#include <daxctl/libdaxctl.h>

#include "kinds.h"
#include "sys/nd-internal.h"
#include "sys/sysfs.h"

DEFINE_CLEANUP(struct daxctl_ctx *, daxctl_unref);

static void ignore_log(struct daxctl_ctx *ctx, int priority, const char *file, int line,
        const char *fn, const char *format, va_list args)
{
}

/* .../region0/dax0.1/dax0.0: the parent is the nd device that the namespace names as its own. */
static Node *namespace_of(Graph *g, const char *region_path)
{
        for (size_t i = 0; i < g->n_nodes; i++) {
                Node *n = g->nodes[i];
                const char *path = node_get(n, "sysfs"), *device = node_get(n, "device");
                size_t dir;

                if (!node_is(n, KIND_NAMESPACE) || !path || !device)
                        continue;
                dir = (size_t)(strrchr(path, '/') - path) + 1;
                if (strncmp(region_path, path, dir) == 0 && streq(region_path + dir, device))
                        return n;
        }
        return NULL;
}

/* daxctl reports a disabled device like any other: driver= is missing then, as with a namespace. */
static int fill_device(Node *n, const char *path)
{
        char dev[DEVNUM_MAX], driver[64];
        dev_t devnum;
        int r;

        r = sysfs_devnum(path, &devnum);
        if (r < 0)
                return r;
        r = node_set(n, "dev", format_devnum(dev, devnum));
        if (r < 0)
                return r;
        r = sysfs_link_name(path, "driver", driver, sizeof(driver));
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : node_set(n, "driver", driver);
}

static int add_device(Graph *g, Node *ns, const char *region_path, struct daxctl_dev *dev)
{
        const char *name = daxctl_dev_get_devname(dev);
        _cleanup_(freep) char *path = NULL;
        Node *n;
        int r;

        path = string_printf("%s/%s", region_path, name);
        if (!path)
                return -ENOMEM;
        r = graph_add(g, KIND_CHARDEV, name, &n);
        if (r < 0)
                return r;
        r = graph_link(n, ns);
        return r < 0 ? r : fill_device(n, path);
}

static int add_region(Graph *g, struct daxctl_region *region)
{
        const char *path = daxctl_region_get_path(region);
        struct daxctl_dev *dev;
        Node *ns;
        int r;

        ns = path ? namespace_of(g, path) : NULL;
        if (!ns)
                return 0;
        daxctl_dev_foreach(region, dev)
        {
                /* The seed of a region that can be divided; nothing is on it. */
                if (daxctl_dev_get_size(dev) == 0)
                        continue;
                r = add_device(g, ns, path, dev);
                if (r < 0)
                        return r;
        }
        /* libdaxctl passes over a device whose node in /dev is missing. */
        return nd_check_complete(g, path, KIND_CHARDEV, "dax");
}

int daxctl_scan(Graph *g)
{
        _cleanup_(daxctl_unrefp) struct daxctl_ctx *ctx = NULL;
        struct daxctl_region *region;
        int r;

        r = daxctl_new(&ctx);
        if (r < 0)
                return r;
        daxctl_set_log_fn(ctx, ignore_log);
        daxctl_region_foreach(ctx, region)
        {
                r = add_region(g, region);
                if (r < 0)
                        return r;
        }
        return 0;
}
