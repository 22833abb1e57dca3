/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan.h"
#include "step/step.h"
#include "sys/mounts.h"
#include "sys/nfs.h"

static void test_parse(void **state)
{
        _cleanup_(nfs_export_list_done) NfsExportList l = { 0 };
        const NfsExport other = { .path = (char *)"/mnt", .client = (char *)"10.0.0.0/9" };

        assert_int_equal(
                nfs_exports_parse("/mnt", "*(rw,sec=sys) @lab(ro) 10.0.0.0/8(ro) fd00::/8(rw)", &l),
                0);
        assert_int_equal(l.n, 4);
        assert_string_equal(l.items[0].client, "*");
        assert_string_equal(l.items[0].options, "rw,sec=sys");
        assert_string_equal(l.items[1].client, "@lab");
        assert_string_equal(l.items[2].options, "ro");
        assert_string_equal(l.items[3].client, "fd00::/8");
        assert_string_equal(l.items[3].path, "/mnt");
        for (size_t i = 0; i < l.n; i++)
                assert_true(nfs_exports_have(&l, l.items + i));
        assert_false(nfs_exports_have(&l, &other));
}

static void test_garbage(void **state)
{
        static const char *const garbage[] = { "*", "(rw)", "*(rw", "*rw)", "*(rw) b", "a)(b",
                "*(rw)x" };

        for (size_t i = 0; i < ELEMENTSOF(garbage); i++) {
                _cleanup_(nfs_export_list_done) NfsExportList l = { 0 };

                assert_int_equal(nfs_exports_parse("/mnt", garbage[i], &l), -EINVAL);
        }
}

/* What exportfs is made to do: nothing at all for a client of this name. */
static const char *stubborn;
static char *exported; /* as in a plan */

int __wrap_nfs_export(const NfsExport *e, uint64_t timeout_usec, int cancel_fd);
int __wrap_nfs_export(const NfsExport *e, uint64_t timeout_usec, int cancel_fd)
{
        _cleanup_(freep) char *before = NULL;

        if (streq(e->client, stubborn))
                return -EIO;
        before = exported;
        exported = string_printf("%s %s(%s)", strempty(before), e->client, e->options);
        /* One that did it, and failed over something else. */
        return streq(e->client, "c") ? -EIO : 0;
}

int __wrap_nfs_exports_read(NfsExportList *l);
int __wrap_nfs_exports_read(NfsExportList *l)
{
        return exported ? nfs_exports_parse("/mnt", exported, l) : 0;
}

int __wrap_mounts_read(pid_t pid, MountList *l);
int __wrap_mounts_read(pid_t pid, MountList *l)
{
        l->items = calloc(1, sizeof(*l->items));
        assert_non_null(l->items);
        l->items->target = strdup("/mnt");
        l->items->fstype = strdup("xfs");
        l->n = 1;
        return 0;
}

static int export_again(const char *path, const char *but, Failure *f)
{
        Record *args = record_new("step", path);
        Step s = { .ops = &step_unexport, .args = args };
        int r;

        stubborn = but;
        free(exported);
        exported = NULL;
        assert_int_equal(record_set(args, "exports", "a(rw) b(ro) c(ro)"), 0);
        assert_int_equal(record_set(args, "wait", "1000000"), 0);
        assert_int_equal(record_set(args, "target", "/mnt"), 0);
        assert_int_equal(record_set(args, "fstype", "xfs"), 0);
        r = step_unexport.revert(&s, NULL, f);
        (void)record_free(args);
        return r;
}

/* One that cannot be exported again leaves none of the others behind. */
static void test_export_again(void **state)
{
        Failure f = { 0 };

        assert_int_equal(export_again("/mnt", "", &f), 0);
        assert_string_equal(exported, " a(rw) b(ro) c(ro)");
        assert_true(export_again("/mnt", "a", &f) < 0);
        assert_string_equal(exported, " b(ro) c(ro)");
        assert_int_equal(f.kind, FAILURE_ROLLBACK_FAILED);
        assert_non_null(strstr(f.sentence, "run exportfs -o rw a:/mnt"));
        free(exported);
        exported = NULL;
}

/* The command that is advised means this folder, and runs nothing out of its name. */
static void test_advice_is_quoted(void **state)
{
        Failure f = { 0 };

        assert_true(export_again("/mnt/it's $(id)", "a", &f) < 0);
        assert_non_null(strstr(f.sentence, "run exportfs -o rw 'a:/mnt/it'\\''s $(id)'"));
        free(exported);
        exported = NULL;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_garbage),
                cmocka_unit_test(test_export_again),
                cmocka_unit_test(test_advice_is_quoted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
