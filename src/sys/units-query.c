/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the service manager about units: one connection in one child for all of them, because PID 1
 * may itself be stuck. The answer is text in memory that both share, so that whatever the child had
 * done when it was given up is simply not read. */

#include <fnmatch.h>
#include <stddef.h>
#include <sys/mman.h>

#include "sys/child.h"
#include "sys/units-bus.h"
#include "sys/units-set.h"
#include "sys/units.h"

/* 256 units with some lists of names. */
#define ANSWER_MAX (256 * 1024)

typedef struct Query {
        char *const *names;
        uint64_t timeout_usec;
        sd_bus *bus;
        char *answer; /* shared with the child */
} Query;

/* --- what the manager says of one --- */

/* The dependencies by which stopping one unit stops another one: what systemd calls
 * UNIT_ATOM_PROPAGATE_STOP (src/core/unit-dependency-atom.c, 252). */
static const struct {
        const char *property;
        char type;
        size_t offset;
} properties[] = {
        { "ActiveState", 's', offsetof(UnitFacts, state) },
        { "Transient", 'b', offsetof(UnitFacts, transient) },
        { "CanStart", 'b', offsetof(UnitFacts, can_start) },
        { "CanStop", 'b', offsetof(UnitFacts, can_stop) },
        { "TriggeredBy", 'a', offsetof(UnitFacts, triggered_by) },
        { "RequiredBy", 'a', offsetof(UnitFacts, stops[0]) },
        { "RequisiteOf", 'a', offsetof(UnitFacts, stops[1]) },
        { "BoundBy", 'a', offsetof(UnitFacts, stops[2]) },
        { "ConsistsOf", 'a', offsetof(UnitFacts, stops[3]) },
        { "PropagatesStopTo", 'a', offsetof(UnitFacts, stops[4]) },
        { "UpheldBy", 'a', offsetof(UnitFacts, upheld_by) },
        { "After", 'a', offsetof(UnitFacts, after) },
};

static int read_string(sd_bus_message *m, char **field)
{
        const char *s;
        int r = sd_bus_message_read(m, "v", "s", &s);

        return r < 0 ? r : free_and_strdup(field, s);
}

static int read_bool(sd_bus_message *m, bool *field)
{
        int b, r = sd_bus_message_read(m, "v", "b", &b);

        *field = r >= 0 && b;
        return r;
}

static int read_strv(sd_bus_message *m, char ***field)
{
        int r = sd_bus_message_enter_container(m, 'v', "as");

        if (r >= 0)
                r = sd_bus_message_read_strv(m, field);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_value(sd_bus_message *m, const char *property, UnitFacts *u)
{
        for (size_t i = 0; i < ELEMENTSOF(properties); i++) {
                void *field = (char *)u + properties[i].offset;

                if (!streq(property, properties[i].property))
                        continue;
                if (properties[i].type == 's')
                        return read_string(m, field);
                if (properties[i].type == 'b')
                        return read_bool(m, field);
                return read_strv(m, field);
        }
        return sd_bus_message_skip(m, "v");
}

static int read_properties(sd_bus_message *m, UnitFacts *u)
{
        const char *property;
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &property);
                if (r >= 0)
                        r = read_value(m, property, u);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

static int ask_service(Query *q, const char *path, UnitFacts *u)
{
        static const char interface[] = "org.freedesktop.systemd1.Service";
        int r;

        if (u->role != UNIT_HOLDER || fnmatch("*.service", u->name, 0) != 0)
                return 0;
        r = sd_bus_get_property_string(
                q->bus, MANAGER_SERVICE, path, interface, "Restart", NULL, &u->restart);
        return r < 0 ? r
                     : sd_bus_get_property_string(
                               q->bus, MANAGER_SERVICE, path, interface, "Slice", NULL, &u->slice);
}

static int ask_manager(UnitFacts *u, void *arg)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *path = NULL;
        Query *q = arg;
        int r;

        r = units_object(u->name, &path);
        if (r >= 0)
                r = sd_bus_call_method(q->bus, MANAGER_SERVICE, path,
                        "org.freedesktop.DBus.Properties", "GetAll", NULL, &reply, "s",
                        UNIT_INTERFACE);
        if (r >= 0)
                r = read_properties(reply, u);
        if (r >= 0)
                r = ask_service(q, path, u);
        return MIN_OF(r, 0);
}

/* --- the answer --- */

static int set_names(Record *rec, const char *key, char *const *names)
{
        _cleanup_(freep) char *text = NULL;
        int r = strv_join(names, &text);

        return r < 0 || !*text ? r : record_set(rec, key, text);
}

static int set_reached(Record *rec, const UnitSet *s, const UnitFacts *u)
{
        _cleanup_(strv_freep) char **triggers = NULL, **also = NULL;
        int r = unit_set_reach(s, u, true, &triggers);

        if (r == 0)
                r = unit_set_reach(s, u, false, &also);
        if (r == 0)
                r = set_names(rec, "triggers", triggers);
        return r < 0 ? r : set_names(rec, "also", also);
}

static int set_refusal(Record *rec, const UnitFacts *u)
{
        if (u->can_stop && u->can_start)
                return 0;
        return record_set(rec, "refuses",
                u->can_stop    ? "start"
                : u->can_start ? "stop"
                               : "stop,start");
}

static int set_facts(Query *q, Record *rec, const UnitSet *s, const UnitFacts *u)
{
        char upholder[UNIT_NAME_MAX];
        int r = record_set(rec, "role", unit_role_to_string(u->role));

        if (r == 0)
                r = record_set(rec, "state", u->state);
        if (r == 0 && u->restart)
                r = record_set(rec, "restart", u->restart);
        if (r == 0 && u->slice)
                r = record_set(rec, "slice", u->slice);
        if (r == 0 && u->transient)
                r = record_set(rec, "transient", "yes");
        if (r == 0)
                r = set_refusal(rec, u);
        if (r == 0 && unit_set_upholder(s, u, ask_manager, q, upholder, sizeof(upholder)))
                r = record_set(rec, "upholder", upholder);
        return r < 0 || u->role != UNIT_HOLDER ? r : set_reached(rec, s, u);
}

static int write_answer(Query *q, const UnitSet *s)
{
        size_t used = 0;

        for (size_t i = 0; i < s->n; i++) {
                _cleanup_(record_freep) Record *rec = record_new("unit", s->items[i].name);
                _cleanup_(freep) char *line = NULL;
                int r = rec ? set_facts(q, rec, s, s->items + i) : -ENOMEM;

                if (r < 0)
                        return r;
                line = record_print(rec);
                if (!line)
                        return -ENOMEM;
                used += (size_t)snprintf(q->answer + used, ANSWER_MAX - used, "%s\n", line);
                if (used >= ANSWER_MAX)
                        return -E2BIG;
        }
        return 0;
}

static int query_child(void *arg)
{
        _cleanup_(unit_set_done) UnitSet s = { 0 };
        Query *q = arg;
        int r = units_open_bus(q->timeout_usec, &q->bus);

        if (r >= 0)
                r = unit_set_build(&s, q->names, ask_manager, q);
        if (r >= 0)
                r = write_answer(q, &s);
        (void)sd_bus_flush_close_unref(q->bus);
        return r;
}

/* --- */

void unit_list_done(UnitList *l)
{
        for (size_t i = 0; i < l->n; i++)
                (void)record_free(l->items[i]);
        free(l->items);
        *l = (UnitList){ 0 };
}

const Record *unit_list_find(const UnitList *l, const char *name)
{
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i]->name, name))
                        return l->items[i];
        return NULL;
}

static int append(UnitList *l, const char *line)
{
        Record **grown = reallocarray(l->items, l->n + 1, sizeof(Record *));
        int r;

        if (!grown)
                return -ENOMEM;
        l->items = grown;
        r = record_parse(line, &l->items[l->n]);
        if (r == 0)
                l->n++;
        return r;
}

static int parse_answer(char *text, UnitList *l)
{
        char *save = NULL;
        int r = 0;

        for (char *line = strtok_r(text, "\n", &save); line && r == 0;
                line = strtok_r(NULL, "\n", &save))
                r = append(l, line);
        return r;
}

int units_query(char *const *names, uint64_t timeout_usec, UnitList *ret)
{
        Query q = { .names = names, .timeout_usec = timeout_usec };
        int r;

        q.answer =
                mmap(NULL, ANSWER_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (q.answer == MAP_FAILED)
                return -errno;
        r = child_call(query_child, &q, timeout_usec, -EBADF);
        if (r == 0)
                r = parse_answer(q.answer, ret);
        (void)munmap(q.answer, ANSWER_MAX);
        return r;
}
