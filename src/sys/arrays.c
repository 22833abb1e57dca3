/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sys/arrays.h"

#include <inttypes.h>

#include "sys/sysfs.h"

typedef struct Array {
        const char *dir;
        char name[32];
        char state[24];
        char level[16];
        char metadata[32];
} Array;

/* Its metadata only, with the arrays made of it beside it: "inactive" is its normal state. */
static bool is_container(const Array *a)
{
        return strncmp(a->metadata, "external:", strlen("external:")) == 0 &&
               streq(a->state, "inactive");
}

/* Of these the kernel shows "degraded" (md_redundancy_attrs, drivers/md/md.c, 6.1 to 6.12). */
static bool has_redundancy(const char *level)
{
        return strncmp(level, "raid", 4) == 0 && !streq(level, "raid0");
}

static int array_read(const char *dir, Array *a)
{
        const char *end = dir + strlen(dir) - strlen("/md"), *name = end;
        int r;

        while (name > dir && name[-1] != '/')
                name--;
        *a = (Array){ .dir = dir };
        (void)snprintf(a->name, sizeof(a->name), "%.*s", (int)(end - name), name);
        r = sysfs_read(dir, "array_state", a->state, sizeof(a->state));
        if (r == 0)
                r = sysfs_read(dir, "metadata_version", a->metadata, sizeof(a->metadata));
        /* Empty where there is none yet. */
        if (r == 0 && sysfs_read(dir, "level", a->level, sizeof(a->level)) < 0)
                *a->level = '\0';
        return r;
}

/* A disk that is being filled still counts as missing: "degraded" goes down at the end of the
 * recovery (raid1_spare_active() and its like). */
static Answer array_whole(const Array *a, char *buf, size_t size)
{
        uint64_t missing;

        if (streq(a->state, "clear") || is_container(a))
                return ANSWER_YES;
        if (streq(a->state, "broken")) {
                (void)snprintf(buf, size, "the array %s is broken", a->name);
                return ANSWER_NO;
        }
        if (sysfs_read_u64(a->dir, "degraded", &missing) == 0) {
                (void)snprintf(buf, size, "the array %s (%s) lacks %" PRIu64 " of its disks",
                        a->name, a->level, missing);
                return missing == 0 ? ANSWER_YES : ANSWER_NO;
        }
        if (!streq(a->state, "inactive") && *a->level && !has_redundancy(a->level))
                return ANSWER_YES;
        (void)snprintf(buf, size, "nobody knows whether the array %s (%s) lacks a disk", a->name,
                a->state);
        return ANSWER_UNKNOWN;
}

/* YES as well for one that was stopped meanwhile. */
static Answer dir_whole(const char *dir, char *buf, size_t size)
{
        Array a;
        int r = array_read(dir, &a);

        if (r == -ENOENT || r == -ENODEV)
                return ANSWER_YES;
        if (r == 0)
                return array_whole(&a, buf, size);
        (void)snprintf(buf, size, "%s cannot be read (%s)", dir, strerror(-r));
        return ANSWER_UNKNOWN;
}

Answer arrays_whole(const char *classes, char *buf, size_t size)
{
        _cleanup_(freep) char *pattern = string_printf("%s/*/md", classes);
        _cleanup_(strv_freep) char **dirs = NULL;
        Answer all = ANSWER_YES;
        int r = pattern ? sysfs_glob(pattern, &dirs) : -ENOMEM;

        if (r < 0) {
                (void)snprintf(buf, size, "the md arrays cannot be listed (%s)", strerror(-r));
                return ANSWER_UNKNOWN;
        }
        *buf = '\0';
        for (char **dir = dirs; dir && *dir && all != ANSWER_NO; dir++) {
                char text[160];
                Answer one = dir_whole(*dir, text, sizeof(text));

                if (one == ANSWER_YES || (one == ANSWER_UNKNOWN && all == ANSWER_UNKNOWN))
                        continue;
                (void)snprintf(buf, size, "%s", text);
                all = one;
        }
        return all;
}
