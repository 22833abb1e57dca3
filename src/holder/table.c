/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "holder/holder.h"

const HolderOps *const holder_table[] = {
        &holder_partition,
        &holder_stacked,
        &holder_filesystem,
        &holder_mount,
        &holder_swap,
        &holder_loop,
        &holder_process,
        NULL,
};
