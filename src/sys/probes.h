/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "util/cleanup.h"

/* What this kernel can do, found by looking rather than by its version (design 8). */

typedef enum Answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN } Answer;

const char *answer_to_string(Answer a);

typedef struct ProbeResult {
        Answer answer;
        char evidence[256]; /* one sentence: where it was seen, or why not */
} ProbeResult;

/* In /sys/kernel/btf/vmlinux, read once: the enumerator MF_MEM_PRE_REMOVE, by which XFS is warned;
 * and fs_bdev_mark_dead(), by which XFS and ext4 are shut down when their disk goes. */
void probe_btf(ProbeResult *ret_pre_remove, ProbeResult *ret_shutdown);
/* CONFIG_MEMORY_FAILURE, without which XFS registers no handler at all. */
void probe_memory_failure(ProbeResult *ret);
/* Sysctls that turn a slow unbind into a panic, as a list for people; empty when none is set. */
void probe_panic_settings(char *buf, size_t size);

/* The parsers, here for the tests. Is this exactly a string of the BTF blob's string section?
 * Unknown when the blob is none. */
Answer btf_has_name(const void *data, size_t size, const char *name);
