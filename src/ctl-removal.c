/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One removal: its id, how it ended, and the verbs that only need its id. */

#include <inttypes.h>

#include "bus.h"
#include "ctl.h"

#define NOT_BY_RESULT (-1)

/* How a result word reads, and its exit status; where the word leaves it open the removal's error
 * decides, and what that does not know counts as other. */
/* clang-format off */
static const struct {
        const char *result, *sentence;
        int status, other;
} results[] = {
        { "done", "is removed", 0, 0 },
        { "partial", "is removed only in part and cannot be put back", 7, 7 },
        { "refused", "is not removed; it is refused and everything was undone", NOT_BY_RESULT, 1 },
        { "vetoed", "is not removed; it was vetoed and everything was undone", 4, 4 },
        { "inhibited", "is not removed; an application inhibits it", 4, 4 },
        { "timed-out", "is not removed; the time was up and everything was undone", 6, 6 },
        { "cancelled", "is not removed; it was cancelled and everything was undone", 9, 9 },
        { "failed", "is not removed; a step failed and everything was undone", NOT_BY_RESULT, 1 },
        { "stuck", "is in between: not everything could be undone", 10, 10 },
};
/* clang-format on */

int removal_path(uint64_t id, char **ret)
{
        *ret = string_printf(BUS_PATH_REMOVAL "/%" PRIu64, id);
        return *ret ? 0 : -ENOMEM;
}

int removal_path_to_id(const char *path, uint64_t *ret)
{
        size_t n = strlen(BUS_PATH_REMOVAL);

        if (strncmp(path, BUS_PATH_REMOVAL, n) != 0 || path[n] != '/')
                return -EINVAL;
        return parse_u64(path + n + 1, ret);
}

bool removal_is_over(const Dict *removal)
{
        return dict_string(removal, "result")[0] != '\0';
}

static size_t result_find(const Dict *removal)
{
        size_t i = 0;

        while (i < ELEMENTSOF(results) && !streq(results[i].result, dict_string(removal, "result")))
                i++;
        return i;
}

int removal_status(const Dict *removal)
{
        size_t i = result_find(removal);
        int status;

        if (i == ELEMENTSOF(results))
                return EXIT_FAILURE;
        if (results[i].status != NOT_BY_RESULT)
                return results[i].status;
        status = error_status(value_cell(dict_get(removal, "error"), 0, ERROR_NAME));
        /* "Removed already" is success as an answer, but not as the end of a failed removal. */
        return status == 0 || status == EXIT_FAILURE ? results[i].other : status;
}

static void report_costs(const Dict *removal)
{
        const Value *killed = dict_get(removal, "killed");
        uint64_t frozen_usec = dict_u64(removal, "frozen-usec");
        uint64_t estimate_usec = dict_u64(removal, "estimate-usec");
        char frozen[32], estimate[32];

        for (size_t i = 0; i < value_rows(killed); i++) {
                const char *unit = value_cell(killed, i, KILL_UNIT);

                printf("  killed %s %s%s%s%s: %s\n", value_cell(killed, i, KILL_PID),
                        value_cell(killed, i, KILL_COMMAND), unit[0] ? " (" : "", unit,
                        unit[0] ? ")" : "", value_cell(killed, i, KILL_WHY));
        }
        if (frozen_usec == 0)
                return;
        printf("  frozen for %s", format_seconds(frozen, frozen_usec));
        if (estimate_usec > 0)
                printf(", estimated %s", format_seconds(estimate, estimate_usec));
        putchar('\n');
}

uint64_t removal_took_usec(const Dict *removal)
{
        uint64_t started = dict_u64(removal, "started-usec"),
                 ended = dict_u64(removal, "ended-usec");

        return started > 0 && ended > started ? ended - started : 0;
}

int removal_report(Ctl *c, const Dict *removal, uint64_t took_usec)
{
        const char *target = dict_string(removal, "target"), *road = dict_string(removal, "road");
        const char *error = value_cell(dict_get(removal, "error"), 0, ERROR_SENTENCE);
        size_t i = result_find(removal);
        int status = removal_status(removal);
        char took[32];

        if (!c->json && !c->quiet && status == 0)
                printf("%s is removed%s%s%s%s%s.\n", target, road[0] || took_usec > 0 ? ": " : "",
                        road, road[0] ? " road" : "", road[0] && took_usec > 0 ? ", " : "",
                        took_usec > 0 ? format_seconds(took, took_usec) : "");
        if (!c->json && !c->quiet)
                report_costs(removal);
        if (status == 0)
                return 0;
        return ctl_refuse(c, status, value_cell(dict_get(removal, "error"), 0, ERROR_NAME),
                "%s %s%s%s", target,
                i < ELEMENTSOF(results) ? results[i].sentence : "ended in an unknown way",
                error[0] ? ": " : ".", error);
}

int removals_load(Ctl *c, Dict *d)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r, status;

        r = bus_message_new(c, NULL, NULL, "ListRemovals", &m);
        if (r < 0)
                return ctl_fail(c, "removals", NULL, r);
        status = bus_call(c, "removals", m, 0, &reply);
        if (status != 0)
                return status;
        r = dict_read_value(d, "removals", reply, "a(tosss)");
        return r < 0 ? ctl_fail(c, "removals", NULL, r) : 0;
}

int removals_print(Ctl *c, const Value *removals)
{
        static const Column columns[] = { { "ID", COLUMN_RIGHT | COLUMN_NUMBER }, { "TARGET", 0 },
                { "STATE", 0 }, { "RESULT", 0 } };
        _cleanup_(table_freep) Table *t = table_new(c, "removals", columns, ELEMENTSOF(columns));

        if (!t)
                return -ENOMEM;
        for (size_t i = 0; i < value_rows(removals); i++)
                if (!table_add(t, NULL,
                            (const char *const[]){
                                    value_cell(removals, i, REMOVAL_ID),
                                    value_cell(removals, i, REMOVAL_TARGET),
                                    value_cell(removals, i, REMOVAL_STATE),
                                    value_cell(removals, i, REMOVAL_RESULT),
                            }))
                        return -ENOMEM;
        return table_print(t, c);
}

int verb_removals(Ctl *c, int argc, char **argv)
{
        _cleanup_(dict_freep) Dict *d = dict_new(c);
        int r, status;

        if (!d)
                return ctl_fail(c, "removals", NULL, -ENOMEM);
        status = removals_load(c, d);
        if (status != 0)
                return status;
        if (value_rows(dict_get(d, "removals")) == 0 && !c->json && !c->no_legend)
                puts("No removals.");
        r = removals_print(c, dict_get(d, "removals"));
        return r < 0 ? ctl_fail(c, "removals", NULL, r) : 0;
}

static int removal_call(Ctl *c, uint64_t id, const char *about, const char *member)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = removal_path(id, &path);
        if (r >= 0)
                r = bus_message_new(c, path, BUS_INTERFACE_REMOVAL, member, &m);
        if (r < 0)
                return ctl_fail(c, about, NULL, r);
        return bus_call(c, about, m, 0, NULL);
}

static int removal_answer(Ctl *c, uint64_t id, const char *key)
{
        Document d;
        int r;

        r = document_open(&d);
        if (r < 0)
                return r;
        json_open(&d.json, NULL, '{');
        json_u64(&d.json, "id", id);
        json_raw(&d.json, key, "true");
        json_close(&d.json, '}');
        return document_close(&d, c);
}

static int removal_tell(
        Ctl *c, const char *word, const char *member, const char *said, const char *key)
{
        _cleanup_(freep) char *about = string_printf("removal %s", word);
        int r, status;

        if (!about)
                return ctl_fail(c, word, NULL, -ENOMEM);
        status = removal_call(c, c->id, about, member);
        if (status != 0)
                return status;
        r = c->json ? removal_answer(c, c->id, key) : 0;
        if (r < 0)
                return ctl_fail(c, about, NULL, r);
        if (!c->json && !c->quiet)
                printf("Removal %" PRIu64 " %s\n", c->id, said);
        return 0;
}

int verb_cancel(Ctl *c, int argc, char **argv)
{
        return removal_tell(c, argv[1], "Cancel",
                "is being cancelled; what was done is being undone.", "cancelling");
}

int verb_confirm(Ctl *c, int argc, char **argv)
{
        return removal_tell(c, argv[1], "Confirm", "is confirmed and goes on.", "confirmed");
}
