/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A request as a record and back: it travels to the planner, heads the ledger, and a restarted
 * daemon reads there what had been asked. One table, so that a new option is one row. */

#include <inttypes.h>

#include "policy.h"
#include "util/text.h"

Request *request_new(void)
{
        Request *r = calloc(1, sizeof(*r));

        if (r)
                r->mode = _MODE_INVALID;
        return r;
}

Request *request_free(Request *r)
{
        if (!r)
                return NULL;
        free(r->target);
        free(r->reason);
        free(r->transaction_id);
        free(r->plan_id);
        strv_free(r->overrides);
        free(r);
        return NULL;
}

typedef enum FieldType { FIELD_BOOL, FIELD_STRING, FIELD_USEC } FieldType;

typedef struct Field {
        const char *key;
        FieldType type;
        size_t offset;
} Field;

static const Field fields[] = {
        { "dry-run", FIELD_BOOL, offsetof(Request, dry_run) },
        { "hold", FIELD_BOOL, offsetof(Request, hold_before_commit) },
        { "eject", FIELD_BOOL, offsetof(Request, eject) },
        { "ignore-inhibitors", FIELD_BOOL, offsetof(Request, ignore_inhibitors) },
        { "bind-to-caller", FIELD_BOOL, offsetof(Request, bind_to_caller) },
        { "reason", FIELD_STRING, offsetof(Request, reason) },
        { "transaction", FIELD_STRING, offsetof(Request, transaction_id) },
        { "plan-id", FIELD_STRING, offsetof(Request, plan_id) },
        { "timeout", FIELD_USEC, offsetof(Request, timeout_usec) },
        { "confirm-timeout", FIELD_USEC, offsetof(Request, confirm_timeout_usec) },
};

static int field_to_record(const Request *req, const Field *field, Record *r)
{
        const char *base = (const char *)req + field->offset;

        switch (field->type) {
        case FIELD_BOOL:
                return *(const bool *)base ? record_set(r, field->key, "yes") : 0;
        case FIELD_STRING:
                return record_set(r, field->key, *(char *const *)base);
        case FIELD_USEC:
                if (*(const uint64_t *)base == 0)
                        return 0;
                return record_setf(r, field->key, "%" PRIu64, *(const uint64_t *)base);
        }
        return -EINVAL;
}

static int overrides_to_record(const Request *req, Record *r)
{
        _cleanup_(freep) char *text = NULL;
        int e = strv_join(req->overrides, &text);

        return e < 0 || !*text ? e : record_set(r, "override", text);
}

int request_to_record(const Request *req, Record **ret)
{
        _cleanup_(record_freep) Record *r = record_new("request", req->target);
        int e;

        if (!r)
                return -ENOMEM;
        e = record_setf(r, "uid", "%u", req->uid);
        if (e == 0 && req->mode >= 0)
                e = record_set(r, "mode", mode_to_string(req->mode));
        for (size_t i = 0; i < ELEMENTSOF(fields) && e == 0; i++)
                e = field_to_record(req, &fields[i], r);
        if (e == 0)
                e = overrides_to_record(req, r);
        if (e < 0)
                return e;
        *ret = TAKE_PTR(r);
        return 0;
}

static int field_from_record(Request *req, const Field *field, const Record *r)
{
        const char *value = record_get(r, field->key);
        char *base = (char *)req + field->offset;

        if (!value)
                return 0;
        switch (field->type) {
        case FIELD_BOOL: {
                int b = parse_boolean(value);

                if (b < 0)
                        return b;
                *(bool *)base = b;
                return 0;
        }
        case FIELD_STRING:
                return free_and_strdup((char **)base, value);
        case FIELD_USEC:
                return parse_u64(value, (uint64_t *)base);
        }
        return -EINVAL;
}

int request_from_record(const Record *r, Request **ret)
{
        _cleanup_(request_freep) Request *req = request_new();
        const char *mode = record_get(r, "mode");
        uint64_t uid;
        int e;

        if (!req)
                return -ENOMEM;
        if (!streq(r->verb, "request") || !r->name)
                return -EBADMSG;
        e = free_and_strdup(&req->target, r->name);
        if (e == 0)
                e = record_get_u64(r, "uid", &uid);
        /* Cut down to 32 bits it would be somebody else's, perhaps root's. */
        if (e == 0 && uid > UINT32_MAX)
                e = -EBADMSG;
        if (e == 0)
                req->uid = (uid_t)uid;
        if (e == 0 && mode) {
                req->mode = mode_from_string(mode);
                e = req->mode < 0 ? -EBADMSG : 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(fields) && e == 0; i++)
                e = field_from_record(req, &fields[i], r);
        if (e == 0 && record_get(r, "override"))
                e = strv_split(record_get(r, "override"), &req->overrides);
        if (e < 0)
                return e;
        *ret = TAKE_PTR(req);
        return 0;
}
