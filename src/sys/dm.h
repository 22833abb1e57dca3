/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The only user of libdevmapper. Reading never sleeps for long; the others are for a child of its
 * own (sys/child.h), because a device's last I/O and its udev rules are waited for. */

#include <sys/types.h>

#include "util/text.h"

typedef struct DmDevice {
        char name[256];
        char uuid[256];
        dev_t dev;
        unsigned open_count;
        bool suspended;
        bool read_only;
        char *table; /* as in sys/dm-table.h; keys in it are wiped at the end. NULL: has none */
} DmDevice;

void dm_device_done(DmDevice *d);

/* By its name, or where that is NULL by its number. -ENXIO: there is no such device. -ENOTSUP: its
 * table is not one that can be written down. */
int dm_read(const char *name, dev_t dev, DmDevice *ret) _must_check_;
/* -EBUSY: it is open. */
int dm_remove(const char *name);
/* Under this number if that is free. -EBUSY: name or uuid is taken. */
int dm_create(const DmDevice *d) _must_check_;
