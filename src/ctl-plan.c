/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan: what would happen, without any of it happening. The same code gives `remove` what it shows
 * before it asks, so what was confirmed is what was printed. */

#include "ctl.h"
#include "failure.h"

static int option_begin(sd_bus_message *m, const char *key, const char *type)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, 's', key);
        if (r < 0)
                return r;
        return sd_bus_message_open_container(m, 'v', type);
}

static int option_end(sd_bus_message *m)
{
        int r;

        r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int option_string(sd_bus_message *m, const char *key, const char *value)
{
        return value ? sd_bus_message_append(m, "{sv}", key, "s", value) : 0;
}

static int option_usec(sd_bus_message *m, const char *key, uint64_t usec)
{
        return usec ? sd_bus_message_append(m, "{sv}", key, "t", usec) : 0;
}

static int option_strv(sd_bus_message *m, const char *key, char **values)
{
        int r;

        if (strv_length(values) == 0)
                return 0;
        r = option_begin(m, key, "as");
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(m, values);
        return r < 0 ? r : option_end(m);
}

/* Plan and request get the same options: the id of a plan covers what was asked for. */
int request_append_options(const Ctl *c, sd_bus_message *m, const char *mode, const char *plan_id)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = option_string(m, "mode", mode ?: c->mode);
        if (r >= 0)
                r = option_string(m, "reason", c->reason);
        if (r >= 0)
                r = option_string(m, "transaction-id", c->transaction_id);
        if (r >= 0)
                r = option_string(m, "plan-id", plan_id);
        if (r >= 0)
                r = option_usec(m, "timeout-usec", c->timeout_usec);
        if (r >= 0)
                r = option_usec(m, "confirm-timeout-usec", c->confirm_timeout_usec);
        if (r >= 0)
                r = option_strv(m, "override", c->overrides);
        if (r >= 0 && c->hold)
                r = sd_bus_message_append(m, "{sv}", "hold-before-commit", "b", true);
        if (r >= 0 && c->ignore_inhibitors)
                r = sd_bus_message_append(m, "{sv}", "ignore-inhibitors", "b", true);
        if (r >= 0 && c->bind)
                r = sd_bus_message_append(m, "{sv}", "bind-to-caller", "b", true);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* A reply that does not say who would be killed must not be read as "nobody". */
static bool plan_is_complete(const Dict *plan)
{
        static const char *const needed[][2] = {
                { "verdict", "s" },
                { "mode", "s" },
                { "plan-id", "s" },
                { "kills", "a(usss)" },
                { "steps", "a(uuss)" },
                { "roads", "a(ss)" },
                { "blockers", "a(sss)" },
                { "holders", "aa{ss}" },
                { "estimate-usec", "t" },
        };

        for (size_t i = 0; i < ELEMENTSOF(needed); i++) {
                const Value *v = dict_get(plan, needed[i][0]);

                if (!v || !streq(v->signature, needed[i][1]))
                        return false;
        }
        return true;
}

int plan_load(Ctl *c, const char *target, const char *mode, Dict **ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(dict_freep) Dict *plan = dict_new(c);
        int r, status;

        r = plan ? bus_message_new(c, NULL, NULL, "PlanRemove", &m) : -ENOMEM;
        if (r >= 0)
                r = sd_bus_message_append(m, "s", target);
        if (r >= 0)
                r = request_append_options(c, m, mode, NULL);
        if (r < 0)
                return ctl_fail(c, target, NULL, r);
        status = bus_call(c, target, m, PLAN_TIMEOUT_USEC, &reply);
        if (status != 0 || !reply)
                return status;
        r = dict_read(plan, reply);
        if (r < 0)
                return ctl_fail(c, target, NULL, r);
        if (!plan_is_complete(plan))
                return ctl_refuse(c, EXIT_FAILURE, NULL,
                        "%s: the daemon's plan lacks parts that this program needs; are both of "
                        "the same version?",
                        target);
        *ret = TAKE_PTR(plan);
        return 0;
}

bool plan_is_ok(const Dict *plan)
{
        return streq(dict_string(plan, "verdict"), "ok");
}

int plan_status(const Dict *plan)
{
        const Value *blockers = dict_get(plan, "blockers");

        if (plan_is_ok(plan))
                return 0;
        if (value_rows(blockers) == 0)
                return EXIT_FAILURE;
        return error_status(value_cell(blockers, 0, BLOCKER_ERROR));
}

void print_blockers(FILE *out, const Value *blockers, const char *indent, size_t max)
{
        size_t n = value_rows(blockers);

        for (size_t i = 0; i < MIN_OF(n, max); i++) {
                const char *node = value_cell(blockers, i, BLOCKER_NODE);
                const char *sentence = value_cell(blockers, i, BLOCKER_SENTENCE);
                bool named = node[0] && strncmp(sentence, node, strlen(node)) != 0;

                fprintf(out, "%s%s%s%s\n", indent, named ? node : "", named ? ": " : "", sentence);
        }
        if (n > max)
                fprintf(out, "%sand %zu more\n", indent, n - max);
}

int plan_print_kills(Ctl *c, const Dict *plan)
{
        static const Column columns[] = { { "PID", COLUMN_RIGHT }, { "COMMAND", 0 }, { "UNIT", 0 },
                { "WHY", COLUMN_WRAP } };
        _cleanup_(table_freep) Table *t = table_new(c, "kills", columns, ELEMENTSOF(columns));
        const Value *kills = dict_get(plan, "kills");

        if (!t)
                return -ENOMEM;
        for (size_t i = 0; i < value_rows(kills); i++)
                if (!table_add(t, NULL,
                            (const char *const[]){
                                    value_cell(kills, i, KILL_PID),
                                    value_cell(kills, i, KILL_COMMAND),
                                    value_cell(kills, i, KILL_UNIT),
                                    value_cell(kills, i, KILL_WHY),
                            }))
                        return -ENOMEM;
        return table_print(t, c);
}

/* Name of the road whose rung a step is on; steps without a rung belong to all. */
static const char *step_road(const Value *roads, const char *rung)
{
        uint64_t n;

        if (parse_u64(rung, &n) < 0 || n == 0)
                return "";
        return value_cell(roads, n - 1, ROAD_NAME);
}

static int plan_print_steps(Ctl *c, const Dict *plan)
{
        static const Column columns[] = { { "#", COLUMN_RIGHT }, { "STEP", 0 }, { "NODE", 0 },
                { "ONLY ON THE ROAD", 0 } };
        _cleanup_(table_freep) Table *t = table_new(c, "steps", columns, ELEMENTSOF(columns));
        const Value *steps = dict_get(plan, "steps"), *roads = dict_get(plan, "roads");

        if (!t)
                return -ENOMEM;
        for (size_t i = 0; i < value_rows(steps); i++)
                if (!table_add(t, NULL,
                            (const char *const[]){
                                    value_cell(steps, i, STEP_NUMBER),
                                    value_cell(steps, i, STEP_NAME),
                                    value_cell(steps, i, STEP_NODE),
                                    step_road(roads, value_cell(steps, i, STEP_RUNG)),
                            }))
                        return -ENOMEM;
        return table_print(t, c);
}

static void plan_print_head(const char *target, const Dict *plan)
{
        const Value *roads = dict_get(plan, "roads"), *notes = dict_get(plan, "notes");
        uint64_t estimate_usec = dict_u64(plan, "estimate-usec");
        char buf[32];

        printf("Target:    %s\n", target);
        printf("Verdict:   %s\n", plan_is_ok(plan) ? "can be removed" : "refused");
        printf("Mode:      %s\n", dict_string(plan, "mode"));
        for (size_t i = 0; i < value_rows(roads); i++)
                printf("%s %zu. %s: %s\n", i == 0 ? "Roads:    " : "          ", i + 1,
                        value_cell(roads, i, ROAD_NAME), value_cell(roads, i, ROAD_WHY));
        if (estimate_usec > 0 && plan_is_ok(plan))
                printf("Estimate:  frozen for %s on the forced road\n",
                        format_seconds(buf, estimate_usec));
        for (size_t i = 0; i < value_rows(notes); i++)
                printf("%s %s\n", i == 0 ? "Notes:    " : "          ", value_cell(notes, i, 0));
        if (dict_string(plan, "plan-id")[0])
                printf("Plan id:   %s\n", dict_string(plan, "plan-id"));
}

int plan_print(Ctl *c, const char *target, const Dict *plan)
{
        const Value *blockers = dict_get(plan, "blockers"), *kills = dict_get(plan, "kills");
        int r = 0;

        plan_print_head(target, plan);
        if (value_rows(blockers) > 0) {
                puts("\nWhat stands in the way:");
                print_blockers(stdout, blockers, "  ", SIZE_MAX);
        }
        if (value_rows(dict_get(plan, "steps")) > 0) {
                puts("\nSteps:");
                r = plan_print_steps(c, plan);
        }
        if (r < 0)
                return r;
        if (value_rows(kills) == 0) {
                if (plan_is_ok(plan))
                        puts("\nNo process would be stopped or killed.");
                return 0;
        }
        puts("\nProcesses that would be stopped or killed:");
        return plan_print_kills(c, plan);
}

void plan_json(Json *j, const char *target, const Dict *plan)
{
        json_string(j, "target", target);
        json_dict(j, plan);
}

static int plan_answer(Ctl *c, const char *target, const Dict *plan)
{
        Document d;
        int r;

        if (!c->json) {
                pager_open(c);
                return plan_print(c, target, plan);
        }
        r = document_open(&d);
        if (r < 0)
                return r;
        json_open(&d.json, NULL, '{');
        plan_json(&d.json, target, plan);
        json_close(&d.json, '}');
        return document_close(&d, c);
}

int verb_plan(Ctl *c, int argc, char **argv)
{
        _cleanup_(dict_freep) Dict *plan = NULL;
        const char *target = argv[1];
        int r, status;

        status = plan_load(c, target, NULL, &plan);
        if (status != 0 || !plan)
                return status;
        r = plan_answer(c, target, plan);
        return r < 0 ? ctl_fail(c, target, NULL, r) : plan_status(plan);
}
