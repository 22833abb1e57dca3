/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbered records in a file that is mapped from persistent memory. */

#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct Record {
        uint64_t number;
        char text[48];
        uint64_t checksum;
} Record;

typedef struct Records {
        int fd;
        Record *map; /* NULL while it is closed */
        uint64_t n;
} Records;

#define RECORDS_CLOSED ((Records){ .fd = -1 })

/* Negative errno; may be called again. Tells how many records there are in n. */
int records_open(Records *s, const char *file);
/* Durable when it returns 0. */
int records_append(Records *s);
/* Flushes and lets go of all that holds the filesystem; says whether it was open. */
bool records_close(Records *s);
