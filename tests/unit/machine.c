/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "machine.h"

#include <inttypes.h>
#include <sys/sysmacros.h>

#include "kinds.h"
#include "sys/blkid.h"
#include "sys/daxctl.h"
#include "sys/mounts.h"
#include "sys/nd.h"
#include "sys/probes.h"
#include "sys/proc.h"
#include "sys/sysfs.h"

#define PMEM_MAJOR 259
#define STACKED_MAJOR 250U

Machine machine;

static int add(
        Graph *g, const char *kind, Node *below, unsigned number, const char *fmt, Node **ret)
{
        char name[64];
        int r;

        (void)snprintf(name, sizeof(name), fmt, number);
        r = graph_add(g, kind, name, ret);
        return r < 0 || !below ? r : graph_link(*ret, below);
}

static int add_namespace(Graph *g, Node *region, unsigned i)
{
        Node *ns = NULL, *disk = NULL;
        int r = add(g, KIND_NAMESPACE, region, i, "namespace%u.0", &ns);

        if (r == 0)
                r = node_set(ns, "mode", "fsdax");
        if (r == 0)
                r = node_set(ns, "driver", "nd_pmem");
        if (r == 0)
                r = node_setf(ns, "device", "pfn%u.0", i);
        if (r == 0)
                r = add(g, KIND_BLOCK, ns, i, "pmem%u", &disk);
        if (r == 0)
                r = node_setf(disk, "dev", "%u:%u", PMEM_MAJOR, i);
        if (r == 0)
                r = node_set(disk, "dax", "yes");
        return r < 0 ? r : node_setf(disk, "sysfs", "/sys/block/pmem%u", i);
}

int nd_scan(Graph *g)
{
        Node *bus = NULL, *region = NULL;
        int r = add(g, KIND_BUS, NULL, 0, "ndbus%u", &bus);

        machine.scans++;
        if (r == 0)
                r = add(g, KIND_REGION, bus, 0, "region%u", &region);
        if (r == 0)
                r = node_set(region, "driver", "nd_region");
        for (unsigned i = 0; i < machine.namespaces && r == 0; i++)
                r = add_namespace(g, region, i);
        return r;
}

int daxctl_scan(Graph *g)
{
        return 0;
}

void probe_btf(ProbeResult *ret_pre_remove, ProbeResult *ret_shutdown)
{
        *ret_pre_remove = (ProbeResult){ .answer = ANSWER_YES, .evidence = "it is said to be" };
        *ret_shutdown = *ret_pre_remove;
}

int proc_find_holders(const dev_t *devs, size_t n_devs, const dev_t *nodes, size_t n_nodes,
        uint64_t deadline_usec, ProcList *l)
{
        return 0;
}

int blkid_read(const char *devnode, BlkidInfo *ret)
{
        if (machine.superblock < 0)
                return machine.superblock;
        if (strncmp(devnode, "/dev/pmem", 9) != 0 || machine.layers > 0)
                return -ENODATA;
        *ret = (BlkidInfo){ .type = "xfs", .usage = "filesystem" };
        (void)snprintf(ret->uuid, sizeof(ret->uuid), "uuid-%s", devnode + 5);
        return 0;
}

/* --- mounts --- */

static Mount make_mount(unsigned i)
{
        unsigned disk = machine.namespaces > 0 ? i % machine.namespaces : 0;

        return (Mount){
                .id = 100 + i,
                .parent_id = 1,
                .dev = makedev(PMEM_MAJOR, disk),
                .root = strdup("/"),
                .target = string_printf("/nonexistent/%u", i),
                .fstype = strdup("xfs"),
                .source = string_printf("/dev/pmem%u", disk),
                .vfs_options = strdup("rw"),
                .fs_options = strdup("rw"),
                .propagation = "private",
                .ns = 1,
                .ns_pid = 1,
        };
}

int mounts_read_all(MountList *l)
{
        l->items = calloc(machine.mounts + 1, sizeof(*l->items));
        if (!l->items)
                return -ENOMEM;
        for (; l->n < machine.mounts; l->n++)
                l->items[l->n] = make_mount((unsigned)l->n);
        return 0;
}

/* --- sysfs: disks, and stacked devices x0, x1, ... --- */

static bool is_stacked(const char *dir, unsigned *ret)
{
        static const char prefix[] = "/sys/class/block/x";
        const char *number = dir + strlen(prefix);
        char *end;

        if (strncmp(dir, prefix, strlen(prefix)) != 0)
                return false;
        *ret = (unsigned)strtoul(number, &end, 10);
        return end > number;
}

int sysfs_list(const char *dir, char ***ret)
{
        unsigned i = 0, next = 0;
        char name[32];
        int r = strv_split("", ret);

        if (r < 0)
                return r;
        if (is_stacked(dir, &i) && strstr(dir, "/holders"))
                next = i + 1;
        else if (!streq(dir, "/sys/block/pmem0/holders"))
                return 0;
        if (next == machine.layers && next > 0 && machine.cycle)
                next = 0;
        if (next >= machine.layers)
                return 0;
        (void)snprintf(name, sizeof(name), "x%u", next);
        return strv_append(ret, name);
}

int sysfs_glob(const char *pattern, char ***ret)
{
        return strv_split("", ret);
}

int sysfs_read(const char *dir, const char *attribute, char *buf, size_t size)
{
        const char *text = streq(attribute, "size") ? machine.size : machine.devnum;
        unsigned i;

        if (!is_stacked(dir, &i) || (machine.no_size && streq(attribute, "size")))
                return -ENOENT;
        if (machine.vanish >= machine.scans)
                return -ENODEV;
        if (text)
                (void)snprintf(buf, size, "%s", text);
        else if (streq(attribute, "dev"))
                (void)snprintf(buf, size, "%u:%u", STACKED_MAJOR, i);
        else
                (void)snprintf(buf, size, "2048");
        return 0;
}

int sysfs_read_u64(const char *dir, const char *attribute, uint64_t *ret)
{
        char buf[64];
        int r = sysfs_read(dir, attribute, buf, sizeof(buf));

        return r < 0 ? r : parse_u64(buf, ret);
}

int sysfs_devnum(const char *dir, dev_t *ret)
{
        char buf[64];
        int r = sysfs_read(dir, "dev", buf, sizeof(buf));

        return r < 0 ? r : parse_devnum(buf, ret);
}
