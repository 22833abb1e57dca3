/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What became of a freeze, told by those who may be the only ones left to know: the process that
 * was refused it, and the guardian that thawed it. A file of a few bytes, mapped shared and made
 * before the freeze: to write it takes neither memory nor a descriptor nor a writer that lives. */

#include "util/text.h"

typedef struct FrostNote {
        uint64_t thawed_usec; /* CLOCK_MONOTONIC of the guardian's thaw, 0: it did not */
        uint64_t not_ours;    /* FIFREEZE said that somebody else has frozen it */
} FrostNote;

/* A new one below dir; an older one of this name is forgotten. Unmap it with frost_note_unmap(). */
int frost_note_make(const char *dir, const char *name, FrostNote **ret) _must_check_;
/* -ENOENT: there is none. -EPERM: others could have written it. */
int frost_note_read(const char *dir, const char *name, FrostNote *ret) _must_check_;
void frost_note_unmap(FrostNote *n);
void frost_note_remove(const char *dir, const char *name);
