/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The word "awaited" comes live from a worker and is in no ledger: what it says is over when its
 * worker is. It is repeated while the wait lasts, so one that was lost does no harm. */

#include "removal-awaited.h"

#include "removal-log.h"
#include "util/text.h"

/* The bus is told each time, the journal at once and then less and less often: a night of waiting
 * is no ten thousand lines. */
#define LOG_FIRST_USEC (5 * USEC_PER_SEC)
#define LOG_MAX_USEC (60 * USEC_PER_SEC)

static void awaited_free(RemovalAwaited *items, size_t n)
{
        for (size_t i = 0; i < n; i++)
                record_free(items[i].process);
        free(items);
}

void removal_awaited_clear(Removal *r)
{
        awaited_free(r->awaited, r->n_awaited);
        r->awaited = NULL;
        r->n_awaited = 0;
        r->awaited_log_usec = r->awaited_pause_usec = 0;
}

/* NULL for anything but one process. */
static Record *read_process(const char *line, uint32_t *ret_pid)
{
        Record *one;
        pid_t pid = 0;

        if (record_parse(line, &one) < 0)
                return NULL;
        /* 0: who holds an inhibitor, and is in no pid namespace of ours. */
        if (!one->name || (!streq(one->name, "0") && parse_pid(one->name, &pid) < 0))
                return record_free(one);
        *ret_pid = (uint32_t)pid;
        return one;
}

/* Keys 1, 2, ...: as many as one line holds, so it is bounded. */
static size_t read_processes(const Record *rec, RemovalAwaited **ret)
{
        RemovalAwaited *items = calloc(rec->n_fields + 1, sizeof(*items));
        size_t n = 0;

        for (size_t i = 0; items && i < rec->n_fields; i++) {
                if (!strchr("123456789", rec->fields[i].key[0]))
                        continue;
                items[n].process = read_process(rec->fields[i].value, &items[n].pid);
                n += items[n].process != NULL;
        }
        *ret = items;
        return n;
}

static bool same(const Removal *r, const RemovalAwaited *items, size_t n)
{
        if (n != r->n_awaited)
                return false;
        for (size_t i = 0; i < n; i++)
                if (items[i].pid != r->awaited[i].pid)
                        return false;
        return true;
}

static void tell_journal(Removal *r, bool changed)
{
        uint64_t now = now_usec();

        if (r->n_awaited == 0 || (!changed && now < r->awaited_log_usec))
                return;
        r->awaited_pause_usec =
                changed ? LOG_FIRST_USEC : MIN_OF(2 * r->awaited_pause_usec, LOG_MAX_USEC);
        r->awaited_log_usec = now + r->awaited_pause_usec;
        removal_log(r, LOG_INFO, NULL, NULL, NULL, "%s", strempty(r->progress));
}

void removal_awaited_take(Removal *r, const Record *rec)
{
        RemovalAwaited *items;
        size_t n = read_processes(rec, &items);
        bool changed = !same(r, items, n);

        if (free_and_strdup(&r->progress, record_get(rec, "text")) < 0)
                free(TAKE_PTR(r->progress));
        awaited_free(r->awaited, r->n_awaited);
        r->awaited = items;
        r->n_awaited = n;
        tell_journal(r, changed);
}
