/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* failure.c is the one table of what can go wrong; here it meets libsystemd's table of error names.
 */

#include "bus-error.h"

#include "caller-limits.h"
#include "util/utf8.h"

/* An error whose message is no UTF-8 is never sent, and its caller waits. */
static int set(sd_bus_error *e, FailureKind kind, const char *text)
{
        _cleanup_(freep) char *legal = NULL;
        int r;

        r = utf8_legal(text, &legal);
        if (r >= 0)
                r = sd_bus_error_set(e, failure_info(kind)->bus_name, legal ? legal : text);
        return r < 0 ? r : -failure_info(kind)->err;
}

int bus_error_set(sd_bus_error *e, const Failure *f)
{
        char text[1400];

        return set(e, f->kind == FAILURE_NONE ? FAILURE_FAILED : f->kind,
                failure_text(f, text, sizeof(text)));
}

int bus_error_set_blockers(sd_bus_error *e, const Failure *blockers, size_t n)
{
        Failure all = blockers[0];
        char one[1400], *text = NULL;
        size_t size;
        FILE *f;
        int r;

        if (n == 1)
                return bus_error_set(e, &all);
        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < n && i < LIMIT_REASONS; i++)
                (void)fprintf(
                        f, "%s%s", i > 0 ? "; " : "", failure_text(&blockers[i], one, sizeof(one)));
        if (n > LIMIT_REASONS)
                (void)fprintf(f, "; and %zu more reasons", n - LIMIT_REASONS);
        if (memstream_close(f, &text) < 0)
                return -ENOMEM;
        r = set(e, all.kind, text);
        free(text);
        return r;
}

int bus_error_register(void)
{
        /* libsystemd keeps the pointer for ever. */
        static sd_bus_error_map map[_FAILURE_MAX + 1];
        size_t n = 0;
        int r;

        if (map[0].name)
                return 0;
        for (int k = FAILURE_NONE + 1; k < _FAILURE_MAX; k++) {
                const FailureInfo *info = failure_info((FailureKind)k);

                if (strncmp(info->bus_name, "org.freedesktop.", strlen("org.freedesktop.")) != 0)
                        map[n++] = (sd_bus_error_map){ .name = info->bus_name, .code = info->err };
        }
        map[n] = (sd_bus_error_map)SD_BUS_ERROR_MAP_END;
        r = sd_bus_error_add_map(map);
        return r < 0 ? r : 0;
}
