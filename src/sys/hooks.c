/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which hooks there are. A hook runs as root, so nobody but root may be able to change it; and one
 * that cannot be run might have said no, so it is not passed over but refuses (fail closed). What
 * is switched off is switched off by a link to /dev/null or an empty file. */

#include "sys/hooks.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kinds.h"
#include "util/dropins.h"
#include "util/text.h"

#define HOOK_DIRS 3

/* A later directory overrides. */
static char *hook_dir(unsigned i, const char *root)
{
        const char *run = getenv("RUNTIME_DIRECTORY");

        if (i == 0)
                return string_printf("%s/usr/lib/pmemremoved/hooks.d", root);
        if (i == 1)
                return string_printf("%s" CONFDIR "/pmemremoved/hooks.d", root);
        return string_printf("%s%s/hooks.d", root, run ? run : "/run/pmemremoved");
}

/* What editors and package managers leave behind is no hook. */
static bool is_hook_name(const char *name)
{
        static const char *const leftovers[] = { "~", ".bak", ".orig", ".swp", ".rpmnew",
                ".rpmsave", ".rpmorig", ".dpkg-new", ".dpkg-old", ".dpkg-dist", ".dpkg-bak",
                ".dpkg-tmp", ".dpkg-remove", ".ucf-new", ".ucf-old", ".ucf-dist" };
        size_t length = strlen(name);

        if (*name == '.')
                return false;
        for (size_t i = 0; i < ELEMENTSOF(leftovers); i++) {
                size_t n = strlen(leftovers[i]);

                if (length > n && streq(name + length - n, leftovers[i]))
                        return false;
        }
        return true;
}

/* It becomes a part of a unit's name and of its command line. */
static bool is_plain(const char *name)
{
        for (const char *c = name; *c; c++)
                if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
                        return false;
        return strlen(name) <= HOOK_NAME_MAX;
}

static const char *others_may_write(const struct stat *st)
{
        if (st->st_uid != 0)
                return "it does not belong to root; chown root:root";
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                return "others than root may write to it; chmod go-w";
        return NULL;
}

static const char *folder_distrusted(const char *path, char *buf, size_t size)
{
        _cleanup_(freep) char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
        const char *why;
        struct stat st;

        if (!folder || stat(folder, &st) < 0)
                return "its folder cannot be looked at";
        why = others_may_write(&st);
        if (!why)
                return NULL;
        (void)snprintf(buf, size, "of its folder: %s %s", why, folder);
        return buf;
}

const char *hook_distrusted(const char *path, char *buf, size_t size)
{
        const char *why;
        struct stat st;

        if (!is_plain(dropin_name(path)))
                return "a hook's name consists of at most 128 of A-Z a-z 0-9 . _ -; rename it";
        if (stat(path, &st) < 0) {
                (void)snprintf(buf, size, "it cannot be looked at (%s); mend or remove it",
                        strerror(errno));
                return buf;
        }
        if (!S_ISREG(st.st_mode))
                return "it is no file; remove it";
        why = others_may_write(&st);
        if (why) {
                (void)snprintf(buf, size, "%s %s", why, path);
                return buf;
        }
        if (!(st.st_mode & S_IXUSR)) {
                (void)snprintf(buf, size, "it is not executable; chmod 755 %s, or remove it", path);
                return buf;
        }
        return folder_distrusted(path, buf, size);
}

/* A link to /dev/null, or an empty file. */
static bool is_masked(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return false;
        return (S_ISREG(st.st_mode) && st.st_size == 0) ||
               (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

static int add_hook(const char *path, Graph *g)
{
        char why[512];
        Node *n;
        int r;

        if (is_masked(path))
                return 0;
        r = graph_add(g, KIND_HOOK, dropin_name(path), &n);
        if (r == 0)
                r = node_set(n, "path", path);
        return r < 0 ? r : node_set(n, "blocker", hook_distrusted(path, why, sizeof(why)));
}

static int find_hooks(const char *root, char ***paths)
{
        int r = 0;

        for (unsigned i = 0; i < HOOK_DIRS && r == 0; i++) {
                _cleanup_(freep) char *dir = hook_dir(i, root);

                r = dir ? dropins_read_dir(paths, dir, is_hook_name) : -ENOMEM;
        }
        dropins_sort(*paths);
        return r;
}

int hooks_scan(const char *root, Graph *g)
{
        _cleanup_(strv_freep) char **paths = NULL;
        int r = find_hooks(root, &paths);

        for (char **p = paths; p && *p && r == 0; p++)
                r = add_hook(*p, g);
        return r;
}
