/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's list of sockets, byte by byte. The parser is not for others, so its file is read in
 * here. */

#include "fuzz.h"
#include "sys/proc-sockets.c" /* NOLINT(bugprone-suspicious-include): see above */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        ProcHit hits[] = { { .dev = makedev(259, 0) }, { .dev = makedev(0, 1) } };
        ProcSockets sockets = { 0 };
        ProcScan s = { .devs = hits, .n_devs = ELEMENTSOF(hits), .sockets = &sockets };
        char *buf = malloc(size + 1); /* aligned as a buffer of its own is */
        int r;

        fuzz_assert(buf);
        if (size > 0)
                memcpy(buf, data, size);
        r = look_at_answers(&s, buf, size);
        fuzz_assert(r <= 1);
        for (size_t i = 0; i < sockets.n; i++) {
                const BoundSocket *b = &sockets.items[i];

                fuzz_assert(b->hit && strnlen(b->name, sizeof(b->name)) < sizeof(b->name));
        }
        free(sockets.items);
        free(buf);
        return 0;
}
