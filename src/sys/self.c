/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* This process itself: its program and its libraries. */

#include "sys/self.h"

#include <sys/sysmacros.h>

#include "util/text.h"

#define MAPS_MAX (4 * 1024 * 1024)

/* "7f00-7f10 r--p 00000000 fe:01 1234   /usr/lib/libc.so.6"; the device in hexadecimal digits. */
static const char *parse_line(const char *line, dev_t *ret)
{
        const char *path = strchr(line, '/'), *at = line;
        unsigned long major;
        char *end;

        for (unsigned field = 0; field < 3 && at; field++) {
                at = strchr(at, ' ');
                at = at ? at + 1 : NULL;
        }
        if (!path || !at)
                return NULL;
        major = strtoul(at, &end, 16);
        if (*end != ':')
                return NULL;
        *ret = makedev((unsigned)major, (unsigned)strtoul(end + 1, NULL, 16));
        return path;
}

int self_mapped_files(int (*fn)(dev_t dev, const char *path, void *arg), void *arg)
{
        _cleanup_(freep) char *text = NULL;
        const char *last = "";
        char *save = NULL;
        int r = read_full_file("/proc/self/maps", MAPS_MAX, &text, NULL);

        for (char *line = r == 0 ? strtok_r(text, "\n", &save) : NULL; line && r == 0;
                line = strtok_r(NULL, "\n", &save)) {
                dev_t dev;
                const char *path = parse_line(line, &dev);

                if (!path || streq(path, last))
                        continue;
                last = path;
                r = fn(dev, path, arg);
        }
        return r;
}
