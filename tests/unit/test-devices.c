/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a graph to what the bus shows. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/time.h>

#include "caller-limits.h"
#include "manager-devices.h"
#include "util/text.h"

static const char machine[] =
        "host host pre-remove=no pre-remove-why=\"old kernel\"\n"
        "bus ndbus0 sysfs=/sys/b\n"
        "dimm nmem0 on=bus:ndbus0 sysfs=/sys/d\n"
        "region region0 on=bus:ndbus0,dimm:nmem0 sysfs=/sys/r size=4096 numa=1 driver=nd_region\n"
        "namespace namespace0.0 on=region:region0 sysfs=/sys/n mode=fsdax size=2048 "
        "driver=nd_pmem\n"
        "namespace namespace0.1 on=region:region0 sysfs=/sys/o mode=raw size=2048\n"
        "block pmem0 on=namespace:namespace0.0 dev=259:0\n"
        "block pmem0p1 on=block:pmem0 dev=259:1\n"
        "filesystem pmem0p1 on=block:pmem0p1 type=xfs\n"
        "mount 42 on=filesystem:pmem0p1 target=/mnt/pmem\n";

static DeviceTable *table(const char *text)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        DeviceTable *t;
        unsigned line;

        assert_int_equal(graph_parse(text, &g, &line), 0);
        assert_int_equal(device_table_new(g, &t), 0);
        return t;
}

static void test_table(void **state)
{
        _cleanup_(device_table_freep) DeviceTable *t = table(machine);
        const Device *d;

        assert_int_equal(t->n, 5);
        assert_string_equal(t->pre_remove, "no");
        assert_string_equal(t->pre_remove_why, "old kernel");
        d = device_table_find(t, "namespace0.0");
        assert_non_null(d);
        assert_string_equal(d->path, "/org/pmemremoved1/device/namespace0_2e0");
        assert_ptr_equal(device_table_find_path(t, d->path), d);
        assert_string_equal(d->parent, "/org/pmemremoved1/device/region0");
        assert_string_equal(d->block, "/dev/pmem0");
        assert_string_equal(d->mode, "fsdax");
        assert_string_equal(d->can_remove, "yes");
        assert_int_equal(d->size, 2048);
        assert_int_equal(d->numa, -1);
        assert_int_equal(strv_length(d->mounts), 1);
        assert_string_equal(d->mounts[0], "/mnt/pmem");
        assert_int_equal(strv_length(d->holders), 4);
        assert_string_equal(d->holders[0], "filesystem");
        assert_string_equal(d->holders[1], "pmem0p1");
        d = device_table_find(t, "namespace0.1");
        assert_string_equal(d->can_remove, "removed");
        assert_string_equal(d->block, "");
        d = device_table_find(t, "region0");
        assert_string_equal(d->parent, "/org/pmemremoved1/device/ndbus0");
        assert_int_equal(strv_length(d->children), 2);
        assert_int_equal(strv_length(d->mounts), 1);
        assert_int_equal(d->numa, 1);
        assert_string_equal(d->can_remove, "yes");
        assert_string_equal(device_table_find(t, "nmem0")->can_remove, "yes");
        assert_string_equal(device_table_find(t, "ndbus0")->parent, "/");
        assert_null(device_table_find(t, "pmem0"));
        assert_null(device_table_find(NULL, "pmem0"));
}

/* A number without a disk is given to the next one who mounts something: nothing to clean by. */
static void test_filesystems(void **state)
{
        _cleanup_(freep) char *text = string_printf("%s%s", machine,
                "filesystem btrfs on=block:pmem0 dev=0:60 type=btrfs\n"
                "filesystem pmem0 on=block:pmem0 dev=259:0 type=xfs\n");
        _cleanup_(device_table_freep) DeviceTable *t = table(text);

        assert_string_equal(device_table_find(t, "namespace0.0")->filesystems, "259:0");
}

/* What nobody knows, and what the machine stands on, is not to be removed. */
static void test_can_not_remove(void **state)
{
        _cleanup_(freep) char *unknown =
                string_printf("%s%s", machine, "holder x on=block:pmem0 what=strange\n");
        _cleanup_(freep) char *footing = string_printf(
                "%sfilesystem other on=block:pmem0 footing=\"it holds /\"\n", machine);
        _cleanup_(device_table_freep) DeviceTable *a = table(unknown), *b = table(footing);

        assert_string_equal(device_table_find(a, "namespace0.0")->can_remove, "no");
        assert_string_equal(device_table_find(a, "region0")->can_remove, "no");
        assert_string_equal(device_table_find(b, "namespace0.0")->can_remove, "no");
        assert_string_equal(device_table_find(b, "namespace0.1")->can_remove, "removed");
}

static void test_compare(void **state)
{
        _cleanup_(device_table_freep) DeviceTable *a = table(machine), *b = table(machine);
        _cleanup_(freep) char *more =
                string_printf("%smount 43 on=filesystem:pmem0p1 target=/srv\n", machine);
        _cleanup_(device_table_freep) DeviceTable *c = table(more);
        const char *changed[DEVICE_PROPERTIES_MAX + 1];

        device_compare(device_table_find(a, "region0"), device_table_find(b, "region0"), changed);
        assert_null(changed[0]);
        device_compare(device_table_find(a, "region0"), device_table_find(c, "region0"), changed);
        assert_string_equal(changed[0], "Mounts");
        assert_string_equal(changed[1], "Holders");
        assert_null(changed[2]);
        device_compare(device_table_find(a, "namespace0.0"), device_table_find(a, "namespace0.1"),
                changed);
        assert_non_null(changed[5]);
}

static void test_node(void **state)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        unsigned line;

        assert_int_equal(graph_parse(machine, &g, &line), 0);
        assert_string_equal(node_name(device_node(graph_find(g, "mount", "42"))), "namespace0.0");
        assert_string_equal(node_name(device_node(graph_find(g, "region", "region0"))), "region0");
        assert_null(device_node(graph_find(g, "host", "host")));
}

/* With the address sanitizer each costs ten times as much. */
#ifdef __SANITIZE_ADDRESS__
#define CROWD 10000
#else
#define CROWD 100000
#endif

/* A user in a mount namespace of his own can have a hundred thousand. What is shown of them ends
 * somewhere, and before anybody has waited for it. */
static void test_crowd(void **state)
{
        _cleanup_(device_table_freep) DeviceTable *t = NULL;
        _cleanup_(freep) char *text = NULL;
        const struct itimerval limit = { .it_value.tv_sec = 60 }, none = { 0 };
        size_t size, sum = 0;
        FILE *f = open_memstream(&text, &size);
        const Device *d;

        assert_non_null(f);
        (void)fputs(machine, f);
        for (unsigned i = 0; i < CROWD; i++)
                (void)fprintf(f, "mount %u on=filesystem:pmem0p1 target=/mnt/%0100u\n", 100 + i, i);
        assert_int_equal(fclose(f), 0);
        /* Its own time: a busy machine is no endless loop. */
        assert_int_equal(setitimer(ITIMER_PROF, &limit, NULL), 0);
        t = table(text);
        assert_int_equal(setitimer(ITIMER_PROF, &none, NULL), 0);
        d = device_table_find(t, "namespace0.0");
        for (char **m = d->mounts; *m; m++)
                sum += strlen(*m);
        assert_in_range(sum, LIMIT_LIST / 2, LIMIT_LIST);
        assert_string_equal(d->mounts[0], "/mnt/pmem");
        assert_true(strv_length(d->holders) % 2 == 0);
        assert_in_range(strv_length(d->holders), 100, 2 * LIMIT_LIST / 16);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_filesystems),
                cmocka_unit_test(test_can_not_remove),
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_node),
                cmocka_unit_test(test_crowd),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
