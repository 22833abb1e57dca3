/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which md arrays count as lacking a disk, on a folder that looks like /sys/class/block. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "sys/arrays.h"
#include "util/text.h"

static char classes[64];

static int setup(void **state)
{
        (void)snprintf(classes, sizeof(classes), "/tmp/test-arrays.XXXXXX");
        assert_non_null(mkdtemp(classes));
        return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
        return remove(path);
}

static int teardown(void **state)
{
        return nftw(classes, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_attribute(const char *array, const char *name, const char *value)
{
        _cleanup_(freep) char *path = string_printf("%s/%s/md/%s", classes, array, name);
        FILE *f;

        if (!value)
                return;
        f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fprintf(f, "%s\n", value) > 0);
        assert_int_equal(fclose(f), 0);
}

/* NULL: there is no such attribute. */
static void add(const char *array, const char *state, const char *level, const char *degraded,
        const char *metadata)
{
        _cleanup_(freep) char *dir = string_printf("%s/%s", classes, array);
        _cleanup_(freep) char *md = string_printf("%s/md", dir);

        assert_int_equal(mkdir(dir, 0700), 0);
        assert_int_equal(mkdir(md, 0700), 0);
        write_attribute(array, "array_state", state);
        write_attribute(array, "level", level);
        write_attribute(array, "degraded", degraded);
        write_attribute(array, "metadata_version", metadata);
}

static void expect(Answer answer, const char *part)
{
        char text[200];

        assert_int_equal(arrays_whole(classes, text, sizeof(text)), answer);
        if (part && !strstr(text, part))
                fail_msg("no \"%s\" in \"%s\"", part, text);
        if (!part)
                assert_string_equal(text, "");
}

static void test_none(void **state)
{
        expect(ANSWER_YES, NULL);
}

static void test_whole(void **state)
{
        add("md0", "clean", "raid1", "0", "1.2");
        add("md1", "active", "raid0", NULL, "1.2");
        add("md2", "active", "linear", NULL, "none");
        add("md3", "clear", "", NULL, "none");
        add("md127", "inactive", "", NULL, "external:imsm");
        add("md126", "active", "raid5", "0", "external:/md127/0");
        expect(ANSWER_YES, NULL);
}

static void test_degraded(void **state)
{
        add("md0", "clean", "raid1", "0", "1.2");
        add("md_home", "active", "raid6", "2", "1.2");
        expect(ANSWER_NO, "md_home (raid6) lacks 2 of its disks");
}

static void test_broken(void **state)
{
        add("md0", "broken", "raid0", NULL, "1.2");
        expect(ANSWER_NO, "md0 is broken");
}

/* Not running, or of a level that must say and does not. */
static void test_unknown(void **state)
{
        add("md0", "inactive", "raid1", NULL, "1.2");
        expect(ANSWER_UNKNOWN, "whether the array md0 (inactive)");
}

static void test_silent(void **state)
{
        add("md0", "active", "raid5", NULL, "1.2");
        expect(ANSWER_UNKNOWN, "md0");
}

static void test_no_level(void **state)
{
        add("md0", "active", NULL, NULL, "1.2");
        expect(ANSWER_UNKNOWN, "md0");
}

static void test_known_comes_first(void **state)
{
        add("md0", "inactive", "", NULL, "1.2");
        add("md1", "inactive", "", NULL, "1.2");
        add("md2", "active", "raid1", "1", "1.2");
        expect(ANSWER_NO, "md2 (raid1) lacks 1");
}

/* Stopped between the list and the look. */
static void test_vanished(void **state)
{
        add("md0", NULL, NULL, NULL, NULL);
        expect(ANSWER_YES, NULL);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        const struct CMUnitTest tests[] = {
                IN_FOLDER(test_none),
                IN_FOLDER(test_whole),
                IN_FOLDER(test_degraded),
                IN_FOLDER(test_broken),
                IN_FOLDER(test_unknown),
                IN_FOLDER(test_silent),
                IN_FOLDER(test_no_level),
                IN_FOLDER(test_known_comes_first),
                IN_FOLDER(test_vanished),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
