/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An inhibitor: what an application says about memory that it does not want to lose now. "block"
 * forbids a removal, "delay" asks for time once one has been announced. Pure; the descriptors that
 * keep one alive are manager-inhibitors.c's. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"
#include "util/record.h"

/* Of text that others get to see; in bytes. */
#define INHIBITOR_TARGET_MAX 4096
#define INHIBITOR_WHO_MAX 64
#define INHIBITOR_WHY_MAX 256

typedef enum InhibitMode {
        INHIBIT_BLOCK,
        INHIBIT_DELAY,
        _INHIBIT_MODE_MAX,
        _INHIBIT_MODE_INVALID = -EINVAL,
} InhibitMode;

const char *inhibit_mode_to_string(InhibitMode m);
InhibitMode inhibit_mode_from_string(const char *s);

typedef struct Inhibitor {
        uint64_t id;
        char *target; /* as it was spoken; "": everything */
        char **names; /* namespaces and regions of its closure when it was taken */
        char *who;
        char *why;
        InhibitMode mode;
        uid_t uid;
        pid_t pid; /* who asked for it; the descriptor may have been handed on since */
} Inhibitor;

Inhibitor *inhibitor_free(Inhibitor *i);
DEFINE_CLEANUP(Inhibitor *, inhibitor_free);
/* Copies. FAILURE_INVALID_OPTION or _INVALID_TARGET when a text is empty, too long or not plain
 * printable UTF-8, or when there is no such mode. */
int inhibitor_new(const char *target, const char *who, const char *why, const char *mode,
        Inhibitor **ret, Failure *f) _must_check_;
/* In the place of one that cannot be read: forbids everything until its descriptor closes. */
int inhibitor_new_unknown(uint64_t id, Inhibitor **ret) _must_check_;

/* "inhibitor ID target=... names=... who=... why=... mode=... uid=... pid=..." and back; -EBADMSG
 * for what the other would not have written. */
int inhibitor_to_record(const Inhibitor *i, Record **ret) _must_check_;
int inhibitor_from_record(const Record *r, Inhibitor **ret) _must_check_;

bool inhibitor_is_general(const Inhibitor *i);
/* names: those of the namespaces and regions that go. */
bool inhibitor_concerns(const Inhibitor *i, char *const *names);

/* "postgres (812)" */
const char *inhibitor_label(const Inhibitor *i, char *buf, size_t size);
/* FAILURE_INHIBITED: who, why, and what to do about it. */
int inhibitor_refuse(const Inhibitor *i, Failure *f);
