/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which files of several directories count; what is in them, and which mask others by being empty,
 * is for the caller. */

#include "util/dropins.h"

#include "util/text.h"

const char *dropin_name(const char *path)
{
        return strrchr(path, '/') + 1;
}

/* paths holds each file name once. */
static int dropins_add(char ***paths, const char *dir, const char *name)
{
        _cleanup_(freep) char *path = string_printf("%s/%s", dir, name);

        if (!path)
                return -ENOMEM;
        for (char **p = *paths; p && *p; p++)
                if (streq(dropin_name(*p), name)) {
                        free(*p);
                        *p = TAKE_PTR(path);
                        return 0;
                }
        return strv_append(paths, path);
}

int dropins_read_dir(char ***paths, const char *dir, bool (*filter)(const char *name))
{
        _cleanup_(closedirp) DIR *stream = opendir(dir);
        const struct dirent *de;
        int r;

        if (!stream)
                return errno == ENOENT ? 0 : -errno;
        for (errno = 0; (de = readdir(stream)); errno = 0) {
                if (!filter(de->d_name))
                        continue;
                r = dropins_add(paths, dir, de->d_name);
                if (r < 0)
                        return r;
        }
        return -errno;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(dropin_name(*(char *const *)a), dropin_name(*(char *const *)b));
}

void dropins_sort(char **paths)
{
        if (paths)
                qsort(paths, strv_length(paths), sizeof(char *), compare_names);
}
