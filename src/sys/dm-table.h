/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of a device mapper device as text: "START LENGTH TARGET PARAMETERS" for each target,
 * joined by "; ". What is below stands in it as MAJ:MIN. Pure text, nothing is asked or done. */

#include <sys/types.h>

#include "util/text.h"

typedef struct DmWord {
        unsigned line;      /* from 0 */
        unsigned index;     /* 0: start, 1: length, 2: target, 3: first parameter */
        const char *target; /* not terminated, of length target_length */
        size_t target_length;
        const char *text; /* not terminated, of length */
        size_t length;
} DmWord;

/* Is it the key of an encrypted target (dm-crypt's second parameter)? */
bool dm_word_is_key(const DmWord *w);
/* One in the kernel's keyrings, ":SIZE:TYPE:NAME"; else hex digits, or "-" for none. */
bool dm_word_is_key_of_others(const DmWord *w);
/* The name of a hidden one (dm_table_hide_keys()). */
bool dm_word_is_hidden_key(const DmWord *w);
bool dm_word_is_target(const DmWord *w, const char *target);
bool dm_word_is_device(const DmWord *w, dev_t *ret);

/* Calls fn for each word until it answers other than 0, and answers that. -EBADMSG: no table. */
int dm_table_walk(const char *table, int (*fn)(void *arg, const DmWord *w), void *arg);

/* The same with names of keys in the place of their hex digits: "pmemremoved:NAME:LINE". -EBADMSG:
 * no table, or keys of a form that is not known. */
int dm_table_hide_keys(const char *table, const char *name, char **ret) _must_check_;
#define DM_KEY_PREFIX "pmemremoved:"
/* The reverse. fetch gives the bytes of a key and how many there are; its negative errno ends it.
 * What comes out is for wipe_and_free(). */
#define DM_KEY_MAX 1024
int dm_table_fill_keys(const char *table,
        ssize_t (*fetch)(const char *name, uint8_t buf[static DM_KEY_MAX]),
        char **ret) _must_check_;
void wipe_and_free(char *table);
/* 1: the same but for the keys, which are not compared; 0: not. */
int dm_table_same(const char *a, const char *b) _must_check_;
/* Device numbers as lookup gives them; its negative errno ends it. */
int dm_table_translate(const char *table, int (*lookup)(void *arg, dev_t dev, dev_t *ret),
        void *arg, char **ret) _must_check_;
