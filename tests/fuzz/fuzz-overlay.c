/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Options of an overlay as mountinfo shows them; anybody with a user namespace may have written
 * them. Neither parser is for others, so both files are read in here. */

#include "fuzz.h"
#include "holder/overlay.c"     /* NOLINT(bugprone-suspicious-include): see above */
#include "sys/mounts-overlay.c" /* NOLINT(bugprone-suspicious-include): see above */

static void check_mount_data(const char *options)
{
        Overlay o;

        if (overlay_parse(options, &o) < 0)
                return;
        fuzz_assert(o.n_dirs > 0 && o.n_dirs <= sizeof(o.dirs) && o.dirs[o.n_dirs - 1] == '\0');
        fuzz_assert(strlen(o.data) == o.n_data && o.n_data <= strlen(options));
        for (size_t at = 0; at < o.n_dirs; at += strlen(o.dirs + at) + 1)
                fuzz_assert(o.dirs[at] == '/');
}

static void check_layers(const char *options)
{
        _cleanup_(layers_done) Layers l = { 0 };

        if (parse_layers(options, &l) < 0)
                return;
        fuzz_assert(strv_length(l.paths) == l.n && l.n <= LAYERS_MAX);
        for (size_t i = 0; i < l.n; i++)
                fuzz_assert(*l.paths[i] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size);

        check_mount_data(text);
        check_layers(text);
        return 0;
}
