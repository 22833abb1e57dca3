/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* status: can it be removed here, and how. What the kernel was found to be able to do and on what
 * evidence, what stands on each device, and what each road would do, from dry runs. */

#include "bus.h"
#include "ctl.h"
#include "kinds.h"

static const char *const roads[] = { "graceful", "forced" };

/* One device with what was asked about it. */
typedef struct Review {
        const Dict *device;
        Dict *plans[ELEMENTSOF(roads)]; /* NULL: not asked or no answer */
        char *error_name;
        char *error_sentence;
        int status;
} Review;

typedef struct Overview {
        Dict *manager; /* properties, and "removals" */
        Dict **devices;
        size_t n_devices;
        Review *reviews;
        size_t n_reviews;
} Overview;

static void overview_done(Overview *o)
{
        for (size_t i = 0; i < o->n_reviews; i++) {
                for (size_t k = 0; k < ELEMENTSOF(roads); k++)
                        dict_free(o->reviews[i].plans[k]);
                free(o->reviews[i].error_name);
                free(o->reviews[i].error_sentence);
        }
        free(o->reviews);
        devices_free(o->devices, o->n_devices);
        dict_free(o->manager);
}

static bool device_is_there(const Dict *device)
{
        return !streq(dict_string(device, "can-remove"), "removed");
}

/* The two roads are the same scan twice; that is the price of asking the daemon instead of
 * guessing what it would decide. */
static int review_load(Ctl *c, Review *rv)
{
        const char *name = dict_string(rv->device, "name");
        int status = 0;

        for (size_t k = 0; status == 0 && k < ELEMENTSOF(roads) && device_is_there(rv->device); k++)
                status = plan_load(c, name, roads[k], &rv->plans[k]);
        rv->status = status;
        if (status == 0)
                return 0;
        text_keep(&rv->error_name, c->error_name);
        text_keep(&rv->error_sentence, c->error_sentence);
        return status;
}

/* Path of the device that the person's word means. Status. */
static int target_resolve(Ctl *c, const char *target, char **ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *path;
        int r, status;

        r = bus_message_new(c, NULL, NULL, "ResolveTarget", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", target);
        if (r < 0)
                return ctl_fail(c, target, NULL, r);
        status = bus_call(c, target, m, PLAN_TIMEOUT_USEC, &reply);
        if (status != 0)
                return status;
        r = sd_bus_message_read_basic(reply, 'o', &path);
        if (r >= 0)
                r = free_and_strdup(ret, path);
        return r < 0 ? ctl_fail(c, target, NULL, r) : 0;
}

/* Namespaces are what is removed and mounted; a bus or a region is looked at when it is named. */
static int overview_select(Ctl *c, Overview *o, const char *target)
{
        _cleanup_(freep) char *path = NULL;
        int status;

        if (target) {
                status = target_resolve(c, target, &path);
                if (status != 0)
                        return status;
        }
        o->reviews = calloc(o->n_devices + 1, sizeof(Review));
        if (!o->reviews)
                return ctl_fail(c, "status", NULL, -ENOMEM);
        for (size_t i = 0; i < o->n_devices; i++) {
                const Dict *d = o->devices[i];

                if (path ? streq(dict_string(d, "path"), path)
                         : streq(dict_string(d, "kind"), KIND_NAMESPACE))
                        o->reviews[o->n_reviews++].device = d;
        }
        if (target && o->n_reviews == 0)
                return ctl_refuse(c, EXIT_NOT_FOUND, NULL, "%s: the device has just gone.", target);
        return 0;
}

static int overview_load(Ctl *c, Overview *o, const char *target)
{
        int first = 0, status;

        o->manager = dict_new(c);
        if (!o->manager)
                return ctl_fail(c, "status", NULL, -ENOMEM);
        status = bus_get_all(c, "status", BUS_PATH, BUS_INTERFACE_MANAGER, o->manager);
        if (status == 0)
                status = removals_load(c, o->manager);
        if (status == 0)
                status = devices_load(c, &o->devices, &o->n_devices);
        if (status == 0)
                status = overview_select(c, o, target);
        if (status != 0)
                return status;
        for (size_t i = 0; i < o->n_reviews; i++) {
                status = review_load(c, &o->reviews[i]);
                first = first ?: status;
        }
        return first;
}

static const Value *overview_host(const Overview *o)
{
        for (size_t i = 0; i < o->n_reviews; i++)
                if (o->reviews[i].plans[0])
                        return dict_get(o->reviews[i].plans[0], "host");
        return NULL;
}

static void print_probes(const Overview *o)
{
        const Value *probe = dict_get(o->manager, "kernel-pre-remove"), *host = overview_host(o);

        printf("Kernel pre-remove: %s (%s)\n", value_cell(probe, 0, 0), value_cell(probe, 0, 1));
        for (size_t i = 0; i < value_rows(host); i++)
                if (strncmp(value_cell(host, i, 0), "warn", strlen("warn")) == 0)
                        printf("Warning: %s\n", value_cell(host, i, 1));
}

static int print_node(const Node *n)
{
        _cleanup_(freep) char *title = node_title(n), *detail = NULL;
        int r;

        r = node_detail(n, true, &detail);
        if (r < 0 || !title)
                return -ENOMEM;
        printf("  %-10s %s%s%s\n", node_kind(n), title, detail[0] ? ": " : "", detail);
        return 0;
}

/* Everything that stands on the device; what it stands on itself has been named above. */
static int print_holders(const Dict *plan)
{
        static const char *const shown[] = { KIND_BLOCK, KIND_CHARDEV, KIND_MEMORY, KIND_STACKED,
                KIND_LEG, KIND_FILESYSTEM, KIND_SWAP, KIND_MOUNT, KIND_HOLDER, KIND_PROCESS };
        const Value *holders = dict_get(plan, "holders");
        int r = 0;

        for (size_t k = 0; k < ELEMENTSOF(shown); k++)
                for (size_t i = 0; r >= 0 && i < holders->graph->n_nodes; i++)
                        if (node_is(holders->graph->nodes[i], shown[k]))
                                r = print_node(holders->graph->nodes[i]);
        return r;
}

static void print_road(const char *road, const Dict *plan)
{
        size_t kills = value_rows(dict_get(plan, "kills"));
        uint64_t estimate_usec = dict_u64(plan, "estimate-usec");
        char buf[32];

        if (!plan_is_ok(plan)) {
                printf("  %-10s refused:\n", road);
                print_blockers(stdout, dict_get(plan, "blockers"), "             ", SIZE_MAX);
                return;
        }
        printf("  %-10s possible; ", road);
        if (kills == 0)
                printf("no process would be stopped");
        else
                printf("%zu process%s would be stopped or killed", kills, kills == 1 ? "" : "es");
        if (estimate_usec > 0)
                printf(", frozen for about %s", format_seconds(buf, estimate_usec));
        putchar('\n');
}

static int review_print(const Review *rv)
{
        const char *size = dict_string(rv->device, "size"), *mode = dict_string(rv->device, "mode");
        char buf[32];
        int r = 0;

        printf("\n%s: %s%s%s, %s%s\n", dict_string(rv->device, "name"),
                dict_string(rv->device, "kind"), mode[0] ? ", " : "", mode,
                format_size(buf, size) ?: "no size",
                device_is_there(rv->device) ? "" : ", removed");
        if (rv->plans[0])
                r = print_holders(rv->plans[0]);
        for (size_t k = 0; k < ELEMENTSOF(roads); k++)
                if (rv->plans[k])
                        print_road(roads[k], rv->plans[k]);
        if (rv->error_sentence)
                printf("  not known: %s\n", rv->error_sentence);
        return r;
}

static int overview_print(Ctl *c, const Overview *o)
{
        const Value *removals = dict_get(o->manager, "removals");
        int r;

        print_probes(o);
        for (size_t i = 0; i < o->n_reviews; i++) {
                r = review_print(&o->reviews[i]);
                if (r < 0)
                        return r;
        }
        if (o->n_reviews == 0 && !c->no_legend)
                puts("No persistent memory.");
        if (value_rows(removals) == 0)
                return 0;
        puts("\nRemovals:");
        return removals_print(c, removals);
}

static void road_json(Json *j, const char *road, const Dict *plan)
{
        static const char *const keys[] = { "verdict", "blockers", "kills", "estimate-usec",
                "plan-id" };

        json_open(j, road, '{');
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                json_value(j, dict_get(plan, keys[i]));
        json_close(j, '}');
}

static void review_json(Json *j, const Review *rv)
{
        const Value *holders = rv->plans[0] ? dict_get(rv->plans[0], "holders") : NULL;

        json_open(j, NULL, '{');
        json_dict(j, rv->device);
        for (size_t k = 0; k < ELEMENTSOF(roads); k++)
                if (rv->plans[k])
                        road_json(j, roads[k], rv->plans[k]);
        if (holders) {
                Value closure = *holders;

                closure.key = (char *)"closure";
                json_value(j, &closure);
        }
        if (rv->error_sentence) {
                json_open(j, "error", '{');
                json_string(j, "error", strempty(rv->error_name));
                json_string(j, "sentence", rv->error_sentence);
                json_close(j, '}');
        }
        json_close(j, '}');
}

static int overview_json(Ctl *c, const Overview *o)
{
        const Value *host = overview_host(o);
        Document d;
        int r;

        r = document_open(&d);
        if (r < 0)
                return r;
        json_open(&d.json, NULL, '{');
        json_dict(&d.json, o->manager);
        if (host)
                json_value(&d.json, host);
        json_open(&d.json, "devices", '[');
        for (size_t i = 0; i < o->n_reviews; i++)
                review_json(&d.json, &o->reviews[i]);
        json_close(&d.json, ']');
        json_close(&d.json, '}');
        return document_close(&d, c);
}

int verb_status(Ctl *c, int argc, char **argv)
{
        _cleanup_(overview_done) Overview o = {};
        int r, status;

        status = overview_load(c, &o, argv[1]);
        if (status != 0 && o.n_reviews == 0)
                return status;
        pager_open(c);
        r = c->json ? overview_json(c, &o) : overview_print(c, &o);
        return r < 0 ? ctl_fail(c, "status", NULL, r) : status;
}
