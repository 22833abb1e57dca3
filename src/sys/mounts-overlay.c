/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An overlay mounted once more from what mountinfo says of it. overlayfs remembers its layers as
 * the text it was given, with the caller's own backslashes before commas and colons (fs/overlayfs,
 * 6.1 super.c, 6.12 params.c); what mountinfo escapes in addition libmount has taken away. That
 * text is what mount(2) takes: cut at commas without a backslash, and of an unknown piece nothing
 * is guessed. fsconfig(2) accepts bare commas, so the pieces of such a text may be wrong: a layer
 * that does not exist tells.
 *
 * What nobody can see and what is therefore lost: the credentials of whoever mounted it, with which
 * overlayfs reaches its layers. Ours take their place, so they must not be weaker than root's. */

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mount.h>

#include "sys/mounts-internal.h"
#include "sys/privileges.h"

/* mount(2) copies one page, and the last byte ends the text. */
#define OPTIONS_MAX 4095
#define LAYERS_TIMEOUT_USEC (5 * USEC_PER_SEC)

typedef enum OptionKind {
        OPTION_FLAG,  /* an argument of mount(2), not of the filesystem */
        OPTION_PLAIN, /* nothing to look at */
        OPTION_DIR,
        OPTION_DIRS, /* separated by colons */
} OptionKind;

/* Not here, and so refused: volatile, which marks its work directory so that it cannot be mounted
 * a second time; lowerdir+ and datadir+, which mount(2) does not take; labels of a security module,
 * because overlayfs also remembers the label of its mounter. */
static const struct {
        const char *name; /* up to "=", with it if it has a value */
        OptionKind kind;
        unsigned long flag;
} option_names[] = {
        { "rw", OPTION_FLAG, 0 },
        { "ro", OPTION_FLAG, MS_RDONLY },
        { "sync", OPTION_FLAG, MS_SYNCHRONOUS },
        { "dirsync", OPTION_FLAG, MS_DIRSYNC },
        { "lazytime", OPTION_FLAG, MS_LAZYTIME },
        { "lowerdir=", OPTION_DIRS, 0 },
        { "upperdir=", OPTION_DIR, 0 },
        { "workdir=", OPTION_DIR, 0 },
        { "default_permissions", OPTION_PLAIN, 0 },
        { "userxattr", OPTION_PLAIN, 0 },
        { "redirect_dir=", OPTION_PLAIN, 0 },
        { "index=", OPTION_PLAIN, 0 },
        { "uuid=", OPTION_PLAIN, 0 },
        { "nfs_export=", OPTION_PLAIN, 0 },
        { "xino=", OPTION_PLAIN, 0 },
        { "metacopy=", OPTION_PLAIN, 0 },
        { "verity=", OPTION_PLAIN, 0 },
};

typedef struct Overlay {
        unsigned long flags;
        char data[OPTIONS_MAX + 1]; /* for mount(2) */
        char dirs[OPTIONS_MAX + 1]; /* all layers, without backslashes, each with its '\0' */
        size_t n_data;
        size_t n_dirs; /* bytes */
} Overlay;

/* Up to the next of these characters that has no backslash before it. */
static size_t span(const char *s, const char *ends)
{
        size_t n = 0;

        while (s[n] && !strchr(ends, s[n]))
                n += s[n] == '\\' && s[n + 1] ? 2 : 1;
        return n;
}

/* A path from a root of its own, or below /proc, means something else when we say it. */
static int add_dir(Overlay *o, const char *s, size_t n)
{
        const char *start = o->dirs + o->n_dirs;

        for (size_t i = 0; i < n; i++) {
                if (s[i] == '\\' && i + 1 < n)
                        i++;
                o->dirs[o->n_dirs++] = s[i];
        }
        o->dirs[o->n_dirs++] = '\0';
        return *start == '/' && !mount_path_is_below(start, "/proc") ? 0 : -EOPNOTSUPP;
}

/* Two colons in a row come before a layer that only has data. */
static int add_dirs(Overlay *o, const char *s, size_t n)
{
        const char *end = s + n;
        int r = 0;

        while (s < end && r == 0) {
                size_t length = MIN_OF(span(s, ":"), (size_t)(end - s));

                r = add_dir(o, s, length);
                s += length;
                for (int colons = 0; s < end && *s == ':' && colons < 2; colons++)
                        s++;
        }
        return r;
}

static void add_data(Overlay *o, const char *s, size_t n)
{
        if (o->n_data > 0)
                o->data[o->n_data++] = ',';
        memcpy(o->data + o->n_data, s, n);
        o->n_data += n;
        o->data[o->n_data] = '\0';
}

static int parse_option(Overlay *o, const char *s, size_t n)
{
        for (size_t i = 0; i < ELEMENTSOF(option_names); i++) {
                const char *name = option_names[i].name;
                size_t length = strlen(name);
                bool has_value = name[length - 1] == '=';

                if (n < length || memcmp(s, name, length) != 0 || (!has_value && n != length))
                        continue;
                o->flags |= option_names[i].flag;
                if (option_names[i].kind != OPTION_FLAG)
                        add_data(o, s, n);
                if (option_names[i].kind == OPTION_DIR)
                        return add_dir(o, s + length, n - length);
                if (option_names[i].kind == OPTION_DIRS)
                        return add_dirs(o, s + length, n - length);
                return 0;
        }
        return -EOPNOTSUPP;
}

static int overlay_parse(const char *options, Overlay *ret)
{
        int r = 0;

        *ret = (Overlay){ 0 };
        if (strlen(options) > OPTIONS_MAX)
                return -EOPNOTSUPP;
        while (*options && r == 0) {
                size_t n = span(options, ",");

                r = parse_option(ret, options, n);
                options += n + (options[n] == ',');
        }
        if (r == 0 && ret->n_dirs == 0)
                r = -EOPNOTSUPP;
        return r;
}

/* What overlayfs does in its mounter's name: copying up other people's files, whiteouts, trusted
 * attributes. CAP_SYS_RESOURCE it always gives away (ovl_fill_super(), fs/overlayfs/super.c). */
#define OVERLAY_NEEDS                                                                              \
        (PRIVILEGE(CAP_CHOWN) | PRIVILEGE(CAP_DAC_OVERRIDE) | PRIVILEGE(CAP_DAC_READ_SEARCH) |     \
                PRIVILEGE(CAP_FOWNER) | PRIVILEGE(CAP_FSETID) | PRIVILEGE(CAP_MKNOD) |             \
                PRIVILEGE(CAP_SETFCAP) | PRIVILEGE(CAP_SYS_ADMIN))

static int look_at_layers(void *arg)
{
        const Overlay *o = arg;

        for (size_t at = 0; at < o->n_dirs; at += strlen(o->dirs + at) + 1) {
                int fd = open(o->dirs + at, O_PATH | O_DIRECTORY | O_CLOEXEC);

                if (fd < 0)
                        return -EOPNOTSUPP;
                (void)safe_close(fd);
        }
        return 0;
}

int mounts_overlay_check(const char *fs_options)
{
        Overlay o;
        int r;

        r = overlay_parse(fs_options, &o);
        /* Whoever looks has less than the worker that will mount. */
        if (r == 0 && !privileges_within_reach(OVERLAY_NEEDS))
                r = -EOPNOTSUPP;
        return r < 0 ? r : child_call(look_at_layers, &o, LAYERS_TIMEOUT_USEC, -EBADF);
}

int mounts_stage_overlay(const char *source, const char *fs_options, const char *dir)
{
        Overlay o;
        int r;

        r = overlay_parse(fs_options, &o);
        if (r == 0)
                r = privileges_held(OVERLAY_NEEDS) ? 0 : -EOPNOTSUPP;
        if (r < 0)
                return r;
        return mount(source, dir, "overlay", o.flags, o.data) < 0 ? -errno : 0;
}
