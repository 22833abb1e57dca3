/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The keys of the policy file: one table says what each is called, what it is without a file, how
 * its value is read and where it goes. Nothing here knows about files; that is config.c. */

#include "config.h"

typedef struct ConfigKey ConfigKey;

/* NULL when there is no such key. */
const ConfigKey *config_key_find(const char *name);
/* What a misspelt name may have meant; NULL: no idea. */
const char *config_key_similar(const char *name);
/* A Match* key: says where a section applies, and has no place in the defaults. */
bool config_key_is_match(const ConfigKey *k);
/* A setting of the whole daemon, which has no place in a named section. */
bool config_key_is_global(const ConfigKey *k);
/* A limit of the whole machine: belongs into [Budget] and nowhere else. */
bool config_key_is_budget(const ConfigKey *k);

/* Room for what is wrong with a value and what would be right. */
#define CONFIG_CAUSE_MAX 256
/* Reads value into its field. Lists grow, and an empty value clears them; everything else is
 * replaced. -ENOMEM, or -EINVAL with the cause filled and the policy as it was. */
int config_key_apply(const ConfigKey *k, Policy *p, const char *value,
        char cause[static CONFIG_CAUSE_MAX]) _must_check_;

/* A policy with every key at its built-in value; name may be NULL. */
int policy_new(const char *name, Policy **ret) _must_check_;
Policy *policy_free(Policy *p);
DEFINE_CLEANUP(Policy *, policy_free);
