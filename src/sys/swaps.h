/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Swap areas, and the memory that has to take in what is on them. Sizes are in KiB, as the kernel
 * prints them. */

#include <stdbool.h>

#include "util/text.h"

typedef struct SwapArea {
        char *path;   /* as the kernel sees it from our root */
        bool file;    /* not a device */
        bool deleted; /* its name is gone; path is what it was */
        uint64_t size_kib;
        uint64_t used_kib;
        int priority; /* negative: given by the kernel */
} SwapArea;

typedef struct SwapList {
        SwapArea *items;
        size_t n;
} SwapList;

void swap_list_done(SwapList *l);
/* The text of /proc/swaps. -EBADMSG. */
int swaps_parse(const char *text, SwapList *l) _must_check_;
/* A kernel without swap has an empty list. */
int swaps_read(SwapList *l) _must_check_;
const SwapArea *swap_list_find(const SwapList *l, const char *path);

typedef struct MemoryFree {
        uint64_t available_kib; /* MemAvailable */
        uint64_t swap_kib;      /* SwapFree, of all areas */
} MemoryFree;

int memory_free_parse(const char *text, MemoryFree *ret) _must_check_;
int memory_free_read(MemoryFree *ret) _must_check_;

/* swapoff(2) moves every page back and sleeps as long as that takes: in a child only. A signal
 * interrupts it, and then the area stays in use (mm/swapfile.c, try_to_unuse(), 6.1 to 6.12). */
int swap_off(const char *path) _must_check_;
/* A negative priority lets the kernel give one. */
int swap_on(const char *path, int priority) _must_check_;
