/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What went wrong, for people and for programs. util/ and sys/ return a negative errno and nothing
 * else; above that a Failure is filled where the problem is understood. Upper layers may add the
 * step or the node but never change the kind. failure.c is one table: a kind's D-Bus error name,
 * errno, exit code of the client and general sentence. */

#include <stdbool.h>

#include "util/cleanup.h"

typedef enum FailureKind {
        FAILURE_NONE,
        FAILURE_NO_SUCH_TARGET,
        FAILURE_INVALID_TARGET,
        FAILURE_AMBIGUOUS_TARGET,
        FAILURE_NOT_SUPPORTED,
        FAILURE_BUSY,
        FAILURE_PROTECTED,
        FAILURE_VETOED,
        FAILURE_INHIBITED,
        FAILURE_IN_PROGRESS,
        FAILURE_ALREADY_REMOVED,
        FAILURE_VANISHED,
        FAILURE_TIMED_OUT,
        FAILURE_CANCELLED,
        FAILURE_PAST_COMMIT,
        FAILURE_PLAN_CHANGED,
        FAILURE_ROLLBACK_FAILED,
        FAILURE_PARTIAL,
        FAILURE_INVALID_OPTION,
        FAILURE_LIMIT_EXCEEDED,
        FAILURE_INVALID_CONFIG,
        FAILURE_ACCESS_DENIED,
        FAILURE_FAILED,
        _FAILURE_MAX,
        _FAILURE_INVALID = -EINVAL,
} FailureKind;

/* Fixed sizes: a failure is also filled while a filesystem is frozen; nothing may be allocated. */
typedef struct Failure {
        FailureKind kind;
        int err;             /* negative errno that caused it, 0 if none */
        char node[256];      /* what it is about: a mount point, a device, "1234 (name)" */
        char step[32];       /* name of the step, empty before the plan runs */
        char sentence[1024]; /* cause and what to do next */
} Failure;

typedef struct FailureInfo {
        FailureKind kind;
        const char *name;     /* word in the ledger and last part of the D-Bus error */
        const char *bus_name; /* full D-Bus error name */
        int err;              /* positive errno for D-Bus clients in C */
        int exit_code;        /* of pmemremovectl */
        const char *result;   /* what failure_result() answers */
        const char *sentence; /* said when nobody knew better */
} FailureInfo;

const FailureInfo *failure_info(FailureKind kind);
/* By ledger word or by full D-Bus name; _FAILURE_INVALID when unknown. */
FailureKind failure_kind_from_string(const char *name);

/* Fills f (NULL allowed) and returns err, or minus the kind's errno when err is 0. A failure that
 * is already filled is kept: the first cause is the one to tell. */
int failure_set(Failure *f, FailureKind kind, int err, const char *node, const char *fmt, ...)
        _printf_(5, 6);
/* "node: sentence", or the kind's own sentence. */
const char *failure_text(const Failure *f, char *buf, size_t size);

/* Result words of a removal (design 6): done, partial, refused, ... A kind that can come up only
 * before anything was done is refused. */
const char *failure_result(FailureKind kind);
