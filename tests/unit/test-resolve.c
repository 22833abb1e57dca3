/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a name means that somebody typed: one device, or a refusal that says why. A name that could
 * mean something else is never read as the next best. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "kinds.h"
#include "topology.h"
#include "util/text.h"

static const char text[] =
        "bus ndbus0 sysfs=/sys/bus/nd/devices/ndbus0\n"
        "dimm nmem0 on=bus:ndbus0 sysfs=/sys/bus/nd/devices/nmem0\n"
        "region region0 on=bus:ndbus0,dimm:nmem0 sysfs=/sys/bus/nd/devices/region0\n"
        "namespace namespace0.0 on=region:region0 sysfs=/sys/bus/nd/devices/namespace0.0\n"
        "block pmem0 on=namespace:namespace0.0 dev=259:0 sysfs=/sys/block/pmem0\n"
        "filesystem pmem0 on=block:pmem0 uuid=11-aa label=data\n"
        "mount 42 on=filesystem:pmem0 target=/mnt/pmem\n"
        "mount 43 on=filesystem:pmem0 target=/mnt/again\n"
        "mount 44 on=filesystem:pmem0 target=/mnt/pmem/usb foreign=yes\n"
        "namespace namespace0.1 on=region:region0\n"
        "block null on=namespace:namespace0.1 dev=1:3\n"
        "filesystem null on=block:null uuid=22-bb label=twin\n"
        "namespace namespace0.2 on=region:region0\n"
        "chardev dax0.2 on=namespace:namespace0.2\n"
        "block pmem2 on=namespace:namespace0.2\n"
        "filesystem pmem2 on=block:pmem2 uuid=33-cc label=twin\n";

static const struct {
        const char *target, *kind, *name;
} meant[] = {
        { "ndbus0", KIND_BUS, "ndbus0" },
        { "nmem0", KIND_DIMM, "nmem0" },
        { "region0", KIND_REGION, "region0" },
        { "namespace0.0", KIND_NAMESPACE, "namespace0.0" },
        { "pmem0", KIND_BLOCK, "pmem0" },
        { "dax0.2", KIND_CHARDEV, "dax0.2" },
        { "/dev/pmem0", KIND_BLOCK, "pmem0" },
        { "/dev/dax0.2", KIND_CHARDEV, "dax0.2" },
        { "/sys/block/pmem0", KIND_BLOCK, "pmem0" },
        { "/sys/class/block/pmem0", KIND_BLOCK, "pmem0" },
        { "/sys/bus/nd/devices/region0", KIND_REGION, "region0" },
        { "/mnt/pmem", KIND_MOUNT, "42" },
        { "/mnt/pmem///", KIND_MOUNT, "42" },
        { "UUID=11-aa", KIND_FILESYSTEM, "pmem0" },
        { "LABEL=data", KIND_FILESYSTEM, "pmem0" },
        { "11-aa", KIND_FILESYSTEM, "pmem0" },
        { "data", KIND_FILESYSTEM, "pmem0" },
};

static const struct {
        const char *target;
        FailureKind kind;
        int err;
        const char *sentence; /* in it */
} refused[] = {
        { NULL, FAILURE_INVALID_TARGET, -EINVAL, "1 to 4095 bytes" },
        { "", FAILURE_INVALID_TARGET, -EINVAL, "1 to 4095 bytes" },
        { "pmem\n0", FAILURE_INVALID_TARGET, -EINVAL, "control characters" },
        { "\033[2J", FAILURE_INVALID_TARGET, -EINVAL, "control characters" },
        { "pmem*", FAILURE_AMBIGUOUS_TARGET, -ENOTUNIQ, "a pattern is no target" },
        { "region", FAILURE_INVALID_TARGET, -EINVAL, "a region is named regionN" },
        { "region0x", FAILURE_INVALID_TARGET, -EINVAL, "a region is named regionN" },
        { "namespace0", FAILURE_INVALID_TARGET, -EINVAL, "namespaceN.M" },
        { "namespace.0", FAILURE_INVALID_TARGET, -EINVAL, "namespaceN.M" },
        { "namespace0.", FAILURE_INVALID_TARGET, -EINVAL, "namespaceN.M" },
        { "namespace9.9", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "nobody", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "/dev/pmem7", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "/dev/", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "/dev/disk/by-uuid/no-such-link", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "/dev/../etc/pmem0", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "/sys/block/sda", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "/sys/", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "/mnt", FAILURE_NO_SUCH_TARGET, -ENXIO, "nothing on persistent memory is mounted there" },
        { "/", FAILURE_NO_SUCH_TARGET, -ENXIO, "nothing on persistent memory is mounted there" },
        /* It is mounted there, and means other storage. */
        { "/mnt/pmem/usb", FAILURE_NO_SUCH_TARGET, -ENXIO, "nothing on persistent memory" },
        { "UUID=", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "UUID=data", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "LABEL=11-aa", FAILURE_NO_SUCH_TARGET, -ENXIO, "pmemremovectl list" },
        { "LABEL=twin", FAILURE_AMBIGUOUS_TARGET, -ENOTUNIQ,
                "it means both namespace0.1 and namespace0.2" },
        { "twin", FAILURE_AMBIGUOUS_TARGET, -ENOTUNIQ,
                "it means both namespace0.1 and namespace0.2" },
};

static Graph *machine(void)
{
        Graph *g;
        unsigned line;

        assert_int_equal(graph_parse(text, &g, &line), 0);
        return g;
}

static void test_meant(void **state)
{
        _cleanup_(graph_freep) Graph *g = machine();

        for (size_t i = 0; i < ELEMENTSOF(meant); i++) {
                Failure f = { 0 };
                Node *n;

                if (topology_resolve(g, meant[i].target, &n, &f) < 0)
                        fail_msg("%s: %s", meant[i].target, f.sentence);
                assert_string_equal(node_kind(n), meant[i].kind);
                assert_string_equal(node_name(n), meant[i].name);
                assert_int_equal(f.kind, FAILURE_NONE);
        }
}

static void assert_refused(const Graph *g, size_t i)
{
        Failure f = { 0 };
        Node *n;

        assert_int_equal(topology_resolve(g, refused[i].target, &n, &f), refused[i].err);
        assert_null(n);
        assert_int_equal(f.kind, refused[i].kind);
        if (!strstr(f.sentence, refused[i].sentence))
                fail_msg("%s: %s", strna(refused[i].target), f.sentence);
        /* Also for who does not want to know why. */
        assert_true(topology_resolve(g, refused[i].target, &n, NULL) < 0);
        assert_null(n);
}

static void test_refused(void **state)
{
        _cleanup_(graph_freep) Graph *g = machine();

        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                assert_refused(g, i);
}

static void test_long(void **state)
{
        _cleanup_(graph_freep) Graph *g = machine();
        static const size_t sizes[] = { 4095, 4096, 100000 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                for (unsigned path = 0; path < 2; path++) {
                        _cleanup_(freep) char *target = malloc(sizes[i] + 1);
                        Failure f = { 0 };
                        Node *n;

                        assert_non_null(target);
                        memset(target, 'x', sizes[i]);
                        target[sizes[i]] = '\0';
                        if (path)
                                *target = '/';
                        assert_true(topology_resolve(g, target, &n, &f) < 0);
                        assert_int_equal(f.kind,
                                sizes[i] < 4096 ? FAILURE_NO_SUCH_TARGET : FAILURE_INVALID_TARGET);
                }
}

/* udev's links; what lies below a folder of /dev is not taken for a device by its last word. */
static void test_links(void **state)
{
        _cleanup_(graph_freep) Graph *g = machine();
        char dir[] = "/dev/pmemremoved-test-XXXXXX";
        _cleanup_(freep) char *link = NULL, *out = NULL;
        Node *good, *bad;
        int r, e;

        if (!mkdtemp(dir))
                skip();
        link = string_printf("%s/link", dir);
        out = string_printf("%s/pmem0", dir);
        assert_int_equal(symlink("../null", strempty(link)), 0);
        assert_int_equal(symlink("/etc/passwd", strempty(out)), 0);
        r = topology_resolve(g, link, &good, NULL);
        e = topology_resolve(g, out, &bad, NULL);
        (void)unlink(link);
        (void)unlink(out);
        (void)rmdir(dir);
        assert_int_equal(r, 0);
        assert_string_equal(node_name(good), "null");
        assert_int_equal(e, -ENXIO);
        assert_null(bad);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_meant),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_long),
                cmocka_unit_test(test_links),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
