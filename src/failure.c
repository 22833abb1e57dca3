/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of everything that can go wrong, and the few functions that fill and read a Failure.
 *
 * The errno is what a D-Bus client in C gets. It is the nearest there is, not a key: three kinds
 * are EPERM, two are EINVAL. Programs decide by the name or the exit code. EAGAIN and EINTR are not
 * used, because callers retry them blindly. */

#include <stdarg.h>

#include "failure.h"

#define BUS_ERROR(name) "org.pmemremoved1.Error." name

static const FailureInfo failures[_FAILURE_MAX] = {
        [FAILURE_NONE] = {
                .kind = FAILURE_NONE,
                .name = "none",
                .bus_name = BUS_ERROR("None"),
                .err = 0,
                .exit_code = 0,
                .result = "done",
                .sentence = "Nothing went wrong.",
        },
        [FAILURE_NO_SUCH_TARGET] = {
                .kind = FAILURE_NO_SUCH_TARGET,
                .name = "no-such-target",
                .bus_name = BUS_ERROR("NoSuchTarget"),
                .err = ENOENT,
                .exit_code = 3,
                .result = "refused",
                .sentence = "Nothing on this machine has that name.",
        },
        [FAILURE_INVALID_TARGET] = {
                .kind = FAILURE_INVALID_TARGET,
                .name = "invalid-target",
                .bus_name = BUS_ERROR("InvalidTarget"),
                .err = EINVAL,
                .exit_code = 2,
                .result = "refused",
                .sentence = "That is not the name of anything that can be removed.",
        },
        [FAILURE_AMBIGUOUS_TARGET] = {
                .kind = FAILURE_AMBIGUOUS_TARGET,
                .name = "ambiguous-target",
                .bus_name = BUS_ERROR("AmbiguousTarget"),
                .err = ENOTUNIQ,
                .exit_code = 3,
                .result = "refused",
                .sentence = "The name fits more than one thing; say which.",
        },
        [FAILURE_NOT_SUPPORTED] = {
                .kind = FAILURE_NOT_SUPPORTED,
                .name = "not-supported",
                .bus_name = BUS_ERROR("NotSupported"),
                .err = EOPNOTSUPP,
                .exit_code = 8,
                .result = "refused",
                .sentence = "This cannot be removed safely on this kernel or in this arrangement.",
        },
        [FAILURE_BUSY] = {
                .kind = FAILURE_BUSY,
                .name = "busy",
                .bus_name = BUS_ERROR("Busy"),
                .err = EBUSY,
                .exit_code = 5,
                .result = "refused",
                .sentence = "It is still in use.",
        },
        [FAILURE_PROTECTED] = {
                .kind = FAILURE_PROTECTED,
                .name = "protected",
                .bus_name = BUS_ERROR("Protected"),
                .err = EPERM,
                .exit_code = 5,
                .result = "refused",
                .sentence = "The machine itself stands on it, or the configuration protects it.",
        },
        [FAILURE_VETOED] = {
                .kind = FAILURE_VETOED,
                .name = "vetoed",
                .bus_name = BUS_ERROR("Vetoed"),
                .err = EPERM,
                .exit_code = 4,
                .result = "vetoed",
                .sentence = "A hook forbade the removal.",
        },
        [FAILURE_INHIBITED] = {
                .kind = FAILURE_INHIBITED,
                .name = "inhibited",
                .bus_name = BUS_ERROR("Inhibited"),
                .err = EPERM,
                .exit_code = 4,
                .result = "inhibited",
                .sentence = "An application holds an inhibitor against the removal.",
        },
        [FAILURE_IN_PROGRESS] = {
                .kind = FAILURE_IN_PROGRESS,
                .name = "in-progress",
                .bus_name = BUS_ERROR("InProgress"),
                .err = EALREADY,
                .exit_code = 5,
                .result = "refused",
                .sentence = "Another removal is already working on it.",
        },
        [FAILURE_ALREADY_REMOVED] = {
                .kind = FAILURE_ALREADY_REMOVED,
                .name = "already-removed",
                .bus_name = BUS_ERROR("AlreadyRemoved"),
                .err = ENODEV,
                .exit_code = 0,
                .result = "done",
                .sentence = "It is removed already; there is nothing to do.",
        },
        [FAILURE_VANISHED] = {
                .kind = FAILURE_VANISHED,
                .name = "vanished",
                .bus_name = BUS_ERROR("Vanished"),
                .err = ENXIO,
                .exit_code = 3,
                .result = "failed",
                .sentence = "It went away, or became something else, while it was looked at or removed.",
        },
        [FAILURE_TIMED_OUT] = {
                .kind = FAILURE_TIMED_OUT,
                .name = "timed-out",
                .bus_name = BUS_ERROR("TimedOut"),
                .err = ETIMEDOUT,
                .exit_code = 6,
                .result = "timed-out",
                .sentence = "The time allowed for it has passed.",
        },
        [FAILURE_CANCELLED] = {
                .kind = FAILURE_CANCELLED,
                .name = "cancelled",
                .bus_name = BUS_ERROR("Cancelled"),
                .err = ECANCELED,
                .exit_code = 9,
                .result = "cancelled",
                .sentence = "The removal was cancelled.",
        },
        [FAILURE_PAST_COMMIT] = {
                .kind = FAILURE_PAST_COMMIT,
                .name = "past-commit",
                .bus_name = BUS_ERROR("PastCommit"),
                .err = EINPROGRESS,
                .exit_code = 7,
                .result = "partial",
                .sentence = "The removal is past the point where it could be undone.",
        },
        [FAILURE_PLAN_CHANGED] = {
                .kind = FAILURE_PLAN_CHANGED,
                .name = "plan-changed",
                .bus_name = BUS_ERROR("PlanChanged"),
                .err = ESTALE,
                .exit_code = 11,
                .result = "refused",
                .sentence = "The machine is no longer as it was when the plan was reviewed.",
        },
        [FAILURE_ROLLBACK_FAILED] = {
                .kind = FAILURE_ROLLBACK_FAILED,
                .name = "rollback-failed",
                .bus_name = BUS_ERROR("RollbackFailed"),
                .err = ENOTRECOVERABLE,
                .exit_code = 10,
                .result = "stuck",
                .sentence = "Not everything that was done could be undone.",
        },
        [FAILURE_PARTIAL] = {
                .kind = FAILURE_PARTIAL,
                .name = "partial",
                .bus_name = BUS_ERROR("Partial"),
                .err = EUCLEAN,
                .exit_code = 7,
                .result = "partial",
                .sentence = "The device is removed only in part.",
        },
        [FAILURE_INVALID_OPTION] = {
                .kind = FAILURE_INVALID_OPTION,
                .name = "invalid-option",
                .bus_name = BUS_ERROR("InvalidOption"),
                .err = EINVAL,
                .exit_code = 2,
                .result = "refused",
                .sentence = "An option of the request is unknown or has a wrong value.",
        },
        [FAILURE_LIMIT_EXCEEDED] = {
                .kind = FAILURE_LIMIT_EXCEEDED,
                .name = "limit-exceeded",
                .bus_name = BUS_ERROR("LimitExceeded"),
                .err = ENOBUFS,
                .exit_code = 5,
                .result = "refused",
                .sentence = "A limit of the configuration or of the daemon is reached.",
        },
        [FAILURE_INVALID_CONFIG] = {
                .kind = FAILURE_INVALID_CONFIG,
                .name = "invalid-config",
                .bus_name = BUS_ERROR("InvalidConfig"),
                .err = EBADMSG,
                .exit_code = 1,
                .result = "refused",
                .sentence = "The configuration cannot be read; nothing is removed by guesswork.",
        },
        [FAILURE_ACCESS_DENIED] = {
                .kind = FAILURE_ACCESS_DENIED,
                .name = "access-denied",
                .bus_name = "org.freedesktop.DBus.Error.AccessDenied",
                .err = EACCES,
                .exit_code = 77,
                .result = "refused",
                .sentence = "The caller is not authorised for this.",
        },
        [FAILURE_FAILED] = {
                .kind = FAILURE_FAILED,
                .name = "failed",
                .bus_name = BUS_ERROR("Failed"),
                .err = EIO,
                .exit_code = 1,
                .result = "failed",
                .sentence = "The removal failed.",
        },
};

const FailureInfo *failure_info(FailureKind kind)
{
        if (kind < 0 || kind >= _FAILURE_MAX)
                kind = FAILURE_FAILED;
        return &failures[kind];
}

FailureKind failure_kind_from_string(const char *name)
{
        for (size_t i = 0; i < _FAILURE_MAX; i++)
                if (streq(name, failures[i].name) || streq(name, failures[i].bus_name))
                        return failures[i].kind;
        return _FAILURE_INVALID;
}

int failure_set(Failure *f, FailureKind kind, int err, const char *node, const char *fmt, ...)
{
        int result = err < 0 ? err : -failure_info(kind)->err;
        va_list ap;

        if (!f || f->kind != FAILURE_NONE)
                return result;
        f->kind = kind;
        f->err = err;
        (void)snprintf(f->node, sizeof(f->node), "%s", strempty(node));
        va_start(ap, fmt);
        (void)vsnprintf(f->sentence, sizeof(f->sentence), strempty(fmt), ap);
        va_end(ap);
        return result;
}

const char *failure_text(const Failure *f, char *buf, size_t size)
{
        const char *sentence = f->sentence[0] ? f->sentence : failure_info(f->kind)->sentence;

        (void)snprintf(buf, size, "%s%s%s", f->node, f->node[0] ? ": " : "", sentence);
        return buf;
}

const char *failure_result(FailureKind kind)
{
        return failure_info(kind)->result;
}
