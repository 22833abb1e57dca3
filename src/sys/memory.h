/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Memory blocks (/sys/devices/system/memory), by their numbers, and the driver kmem, which gives a
 * dax device to the system as such blocks. */

#include "util/text.h"

typedef enum MemoryState {
        MEMORY_ABSENT,
        MEMORY_OFFLINE,
        MEMORY_MOVABLE, /* online, in the zone whose pages can be moved away */
        MEMORY_KERNEL,  /* online, in another zone: the kernel's own data may lie there */
        MEMORY_UNKNOWN, /* on its way, or a word that is not known */
} MemoryState;

int memory_block_bytes(uint64_t *ret) _must_check_;
int memory_block_state(uint64_t block, MemoryState *ret) _must_check_;
/* The kernel's own guess, before 5.10; since then always true. */
bool memory_block_removable(uint64_t block);
/* "online_movable", "online_kernel", "offline". Offlining moves every page away, sleeps as long as
 * that takes, again and again, and ends only by a signal (offline_pages(), mm/memory_hotplug.c):
 * in a child only. -EBUSY: there are pages that cannot be moved. */
int memory_block_set(uint64_t block, const char *state) _must_check_;

/* The blocks that lie wholly inside these addresses: only those are used by kmem (dax_kmem_range(),
 * drivers/dax/kmem.c). *ret_n is 0 when there is none. */
int memory_blocks(uint64_t start, uint64_t size, uint64_t *ret_first, uint64_t *ret_n) _must_check_;
/* Addresses of a dax device. */
int memory_of_dax(const char *dax, uint64_t *ret_start, uint64_t *ret_size) _must_check_;
/* Does the kernel use these addresses as RAM that kmem gave to it? 1, 0 or negative errno. After an
 * unbind under online memory nothing but /proc/iomem says so. */
int memory_is_ram(uint64_t start, uint64_t size) _must_check_;
/* The parser of /proc/iomem, here for the tests. */
int memory_iomem_has_ram(FILE *f, uint64_t start, uint64_t size) _must_check_;

/* How much could be allocated without swapping: MemAvailable of /proc/meminfo. */
int memory_available(uint64_t *ret_bytes) _must_check_;

/* "41-43 47": lists of numbers in plans. Numbers come in ascending order. */
int memory_list_add(char **list, uint64_t number) _must_check_;
/* Calls fn for each number, descending; the first failure ends it. */
int memory_list_each(
        const char *list, int (*fn)(uint64_t number, void *arg), void *arg) _must_check_;
uint64_t memory_list_count(const char *list);
