/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "sys/fstab.h"
#include "sys/units-set.h"
#include "sys/units.h"
#include "util/system-units.h"
#include "util/text.h"

/* As systemd-escape --path --suffix=mount says it. */
static void test_names(void **state)
{
        static const struct {
                const char *path, *unit;
        } rows[] = {
                { "/", "-.mount" },
                { "/mnt/pmem", "mnt-pmem.mount" },
                { "//mnt//pmem/", "mnt-pmem.mount" },
                { "/mnt/a-b", "mnt-a\\x2db.mount" },
                { "/.hidden/.too", "\\x2ehidden-.too.mount" },
                { "/srv/a b:c_d", "srv-a\\x20b:c_d.mount" },
                { "/\xc3\xa4", "\\xc3\\xa4.mount" },
        };
        char buf[UNIT_NAME_MAX];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(unit_name_of_path(rows[i].path, "mount", buf), 0);
                assert_string_equal(buf, rows[i].unit);
        }
}

static void test_no_name(void **state)
{
        char path[UNIT_NAME_MAX], buf[UNIT_NAME_MAX];

        assert_int_equal(unit_name_of_path("mnt", "mount", buf), -EINVAL);
        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        assert_int_equal(unit_name_of_path(path, "mount", buf), -ENAMETOOLONG);
        path[UNIT_NAME_MAX - strlen(".mount")] = '\0';
        assert_int_equal(unit_name_of_path(path, "mount", buf), 0);
        assert_int_equal(strlen(buf), UNIT_NAME_MAX - 1);
}

/* --- what nothing may stop --- */

static void test_system(void **state)
{
        static const struct {
                const char *unit;
                bool system, rescue;
        } rows[] = {
                { NULL, false, false },
                { "", false, false },
                { "db.service", false, false },
                { "dbus.service", true, true },
                { "pmemremoved.service", true, true },
                { "systemd-udevd.service", true, true },
                { "systemd-journald@web.service", true, true },
                { "systemd-networkd.service", false, true },
                { "local-fs.target", false, true },
                { "systemd-nspawn@web.service", false, false },
                { "systemd-coredump@3.service", false, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(unit_is_system(rows[i].unit), rows[i].system);
                assert_int_equal(unit_is_rescue(rows[i].unit), rows[i].rescue);
        }
}

/* --- what stops with what --- */

typedef struct Row {
        const char *name, *state, *triggered_by, *required_by, *consists_of, *upheld_by, *after;
} Row;

static int split(const char *words, char ***ret)
{
        return words ? strv_split(words, ret) : 0;
}

static int ask(UnitFacts *u, void *arg)
{
        int r = 0;

        for (const Row *row = arg; row->name; row++) {
                if (!streq(row->name, u->name))
                        continue;
                r = free_and_strdup(&u->state, row->state ? row->state : "active");
                if (r == 0)
                        r = split(row->triggered_by, &u->triggered_by);
                if (r == 0)
                        r = split(row->required_by, &u->stops[0]);
                if (r == 0)
                        r = split(row->consists_of, &u->stops[3]);
                if (r == 0)
                        r = split(row->upheld_by, &u->upheld_by);
                return r < 0 ? r : split(row->after, &u->after);
        }
        return free_and_strdup(&u->state, "inactive");
}

static char *build(const Row *rows, const char *names)
{
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(unit_set_done) UnitSet s = { 0 };
        char *text = strdup("");
        int r;

        assert_int_equal(strv_split(names, &words), 0);
        r = unit_set_build(&s, words, ask, (void *)rows);
        if (r < 0) {
                free(text);
                return string_printf("error %d", -r);
        }
        for (size_t i = 0; i < s.n; i++) {
                char *longer = string_printf("%s%s%s:%s", text, *text ? " " : "",
                        unit_role_to_string(s.items[i].role), s.items[i].name);

                free(text);
                text = longer;
        }
        return text;
}

static void assert_set(const Row *rows, const char *names, const char *expected)
{
        _cleanup_(freep) char *got = build(rows, names);

        assert_string_equal(got, expected);
}

/* What would start them again, what goes with those, and nothing that is down; in the order of
 * starting. */
static void test_set(void **state)
{
        static const Row rows[] = {
                { .name = "db.service",
                        .triggered_by = "db.socket old.timer",
                        .required_by = "app.service down.service",
                        .after = "db.socket network.target" },
                { .name = "db.socket", .required_by = "gate.service" },
                { .name = "old.timer", .state = "inactive", .required_by = "never.service" },
                { .name = "app.service", .triggered_by = "app.path", .after = "db.service" },
                { .name = "app.path", .state = "active" },
                { .name = "down.service", .state = "failed", .required_by = "never.service" },
                { .name = "gate.service", .state = "reloading", .after = "db.socket" },
                { .name = "never.service" },
                { 0 },
        };

        assert_set(rows, "db.service",
                "trigger:db.socket holder:db.service also:app.service also:gate.service "
                "trigger:app.path");
        assert_set(rows, "app.service db.service",
                "trigger:app.path trigger:db.socket holder:db.service holder:app.service "
                "also:gate.service");
        assert_set(rows, "down.service", "");
        assert_set(rows, "no-such.service", "");
}

/* A circle of After= is broken somewhere, one of Requires= ends. */
static void test_set_circle(void **state)
{
        static const Row rows[] = {
                { .name = "a.service", .required_by = "b.service", .after = "b.service" },
                { .name = "b.service", .required_by = "a.service", .after = "a.service" },
                { 0 },
        };

        assert_set(rows, "a.service", "holder:a.service also:b.service");
}

static void test_set_of_everything(void **state)
{
        _cleanup_(freep) char *all = strdup("");
        Row rows[2] = { { .name = "sysinit.target" }, { 0 } };

        for (unsigned i = 0; i < 300; i++) {
                char *longer = string_printf("%s u%u.service", all, i);

                free(all);
                all = longer;
        }
        rows[0].required_by = all;
        assert_set(rows, "sysinit.target", "error 7");
}

static void test_reach(void **state)
{
        static const Row rows[] = {
                { .name = "db.service",
                        .triggered_by = "db.socket",
                        .consists_of = "part.service" },
                { .name = "db.socket" },
                { .name = "part.service",
                        .triggered_by = "part.timer",
                        .upheld_by = "boss.target" },
                { .name = "part.timer", .upheld_by = "db.service idle.target" },
                { .name = "boss.target" },
                { .name = "idle.target", .state = "inactive" },
                { 0 },
        };
        char *const names[] = { (char *)"db.service", NULL };
        _cleanup_(strv_freep) char **triggers = NULL, **also = NULL;
        _cleanup_(unit_set_done) UnitSet s = { 0 };
        char buf[UNIT_NAME_MAX];

        assert_int_equal(unit_set_build(&s, names, ask, (void *)rows), 0);
        assert_string_equal(s.items[0].name, "db.service");
        assert_int_equal(unit_set_reach(&s, s.items, true, &triggers), 0);
        assert_int_equal(unit_set_reach(&s, s.items, false, &also), 0);
        assert_int_equal(strv_length(triggers), 2);
        assert_true(strv_contains(triggers, "db.socket"));
        assert_true(strv_contains(triggers, "part.timer"));
        assert_int_equal(strv_length(also), 1);
        assert_string_equal(also[0], "part.service");
        for (size_t i = 0; i < s.n; i++) {
                const char *by =
                        unit_set_upholder(&s, s.items + i, ask, (void *)rows, buf, sizeof(buf));

                if (streq(s.items[i].name, "part.service"))
                        assert_string_equal(by, "boss.target");
                else
                        assert_null(by);
        }
}

/* --- the next boot --- */

static void test_fstab(void **state)
{
        static const struct {
                const char *target;
                int waits;
        } rows[] = {
                { "/mnt/pmem", 1 },
                { "/mnt/slash", 1 },
                { "/mnt/a b", 1 },
                { "/mnt/nofail", 0 },
                { "/mnt/nofailing", 1 },
                { "/mnt/noauto", 0 },
                { "/mnt/automount", 0 },
                { "/mnt", 0 },
                { "/mnt/none", 0 },
        };
        char path[] = "/tmp/pmemremoved-test-fstab.XXXXXX";
        int fd = mkstemp(path);
        FILE *f = fdopen(fd, "w");

        assert_non_null(f);
        (void)fputs("# /dev/pmem0 /mnt/none xfs defaults 0 0\n"
                    "/dev/pmem0 /mnt/pmem xfs dax=always 0 0\n"
                    "/dev/pmem0 /mnt/slash/ xfs defaults 0 0\n"
                    "/dev/pmem0 /mnt/a\\040b xfs defaults 0 0\n"
                    "/dev/pmem0 /mnt/nofail xfs dax=always,nofail 0 0\n"
                    "/dev/pmem0 /mnt/nofailing xfs x-nofail 0 0\n"
                    "/dev/pmem0 /mnt/noauto xfs noauto 0 0\n"
                    "/dev/pmem0 /mnt/automount xfs x-systemd.automount 0 0\n",
                f);
        assert_int_equal(fclose(f), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(fstab_waits(path, rows[i].target), rows[i].waits);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(fstab_waits(path, "/mnt/pmem"), 0);
}

static void test_boot_link(void **state)
{
        char folder[] = "/tmp/pmemremoved-test-units.XXXXXX";
        const char *link = "local-fs.target.requires/mnt-pmem.mount";
        _cleanup_(freep) char *path = NULL;
        _cleanup_(freep) char *parent = NULL;

        assert_non_null(mkdtemp(folder));
        path = string_printf("%s/%s", folder, link);
        parent = string_printf("%s/local-fs.target.requires", folder);
        assert_int_equal(unit_boot_link_is_hidden(folder, link), 0);
        assert_int_equal(unit_boot_link_show(folder, link), 0);
        assert_int_equal(unit_boot_link_hide(folder, link), 0);
        assert_int_equal(unit_boot_link_is_hidden(folder, link), 1);
        assert_int_equal(unit_boot_link_show(folder, link), 0);
        assert_int_equal(unit_boot_link_is_hidden(folder, link), 0);
        /* Enabled by somebody: neither hidden nor taken away. */
        assert_int_equal(symlink("../mnt-pmem.mount", path), 0);
        assert_int_equal(unit_boot_link_is_hidden(folder, link), -EEXIST);
        assert_int_equal(unit_boot_link_show(folder, link), 0);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(parent), 0);
        assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_no_name),
                cmocka_unit_test(test_system),
                cmocka_unit_test(test_set),
                cmocka_unit_test(test_set_circle),
                cmocka_unit_test(test_set_of_everything),
                cmocka_unit_test(test_reach),
                cmocka_unit_test(test_fstab),
                cmocka_unit_test(test_boot_link),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
