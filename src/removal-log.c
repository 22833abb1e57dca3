/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The journal's view of a removal: the same few fields on every record. */

#include "removal-log.h"

#include <inttypes.h>
#include <stdarg.h>

#include "messages.h"
#include "util/text.h"

#define TEXT_MAX 2048
#define FIELD_MAX 512

static void fill(char field[static FIELD_MAX], const char *name, const char *value)
{
        (void)snprintf(field, FIELD_MAX, "%s=%s", name, strempty(value));
}

void removal_log(const Removal *r, int level, const char *message_id, const Step *step,
        const char *node, const char *fmt, ...)
{
        char removal[FIELD_MAX], target[FIELD_MAX], transaction[FIELD_MAX], where[FIELD_MAX];
        char number[FIELD_MAX], text[TEXT_MAX];
        char *fields[6] = { removal, target };
        size_t n = 2;
        va_list ap;

        if (r->replaying)
                return;
        (void)snprintf(removal, sizeof(removal), "PMEMREMOVED_REMOVAL=%" PRIu64, r->id);
        fill(target, "PMEMREMOVED_TARGET", r->request->target);
        if (step) {
                (void)snprintf(number, sizeof(number), "PMEMREMOVED_STEP=%u %s", step->number,
                        step->ops->name);
                fields[n++] = number;
                node = node ? node : step->args->name;
        }
        if (node && *node) {
                fill(where, "PMEMREMOVED_NODE", node);
                fields[n++] = where;
        }
        if (r->request->transaction_id) {
                fill(transaction, "PMEMREMOVED_TRANSACTION", r->request->transaction_id);
                fields[n++] = transaction;
        }
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        log_event(level, message_id, fields, "removal %" PRIu64 " of %s: %s", r->id,
                r->request->target, text);
}

void removal_log_refused(const Request *req, const Failure *blockers, size_t n)
{
        char target[FIELD_MAX], transaction[FIELD_MAX], node[FIELD_MAX], text[TEXT_MAX] = "";
        char *fields[] = { target, node, req->transaction_id ? transaction : NULL, NULL };
        size_t used = 0;

        fill(target, "PMEMREMOVED_TARGET", req->target);
        fill(node, "PMEMREMOVED_NODE", n > 0 ? blockers[0].node : "");
        fill(transaction, "PMEMREMOVED_TRANSACTION", req->transaction_id);
        for (size_t i = 0; i < n && used < sizeof(text); i++) {
                char one[1400];

                used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
                        i > 0 ? "; " : "", failure_text(&blockers[i], one, sizeof(one)));
        }
        log_event(LOG_NOTICE, MESSAGE_REFUSED, fields,
                "removal of %s, asked for by uid %u, is refused: %s", req->target, req->uid, text);
}
