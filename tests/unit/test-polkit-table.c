/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* No method without a decision: each one in the vtables has a row in the table of actions, reaches
 * its handler only through that table, and those that change something need an action that the
 * installed policy file defines. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus-objects.h"
#include "bus-polkit.h"
#include "bus.h"
#include "util/text.h"

static const struct {
        const char *interface;
        const sd_bus_vtable *vtable;
} interfaces[] = {
        { BUS_INTERFACE_MANAGER, bus_manager_vtable },
        { BUS_INTERFACE_REMOVAL, bus_removal_vtable },
        { BUS_INTERFACE_DEVICE, bus_device_vtable },
};

/* What everybody may do. A method that is added here must change nothing. */
static const char *const readers[] = { "PlanRemove", "ResolveTarget", "ListRemovals",
        "ListInhibitors", "Wait" };

static bool only_reads(const char *member)
{
        for (size_t i = 0; i < ELEMENTSOF(readers); i++)
                if (streq(readers[i], member))
                        return true;
        return false;
}

static bool is_offered(const BusMethod *m)
{
        for (size_t i = 0; i < ELEMENTSOF(interfaces); i++)
                for (const sd_bus_vtable *v = interfaces[i].vtable; v->type != _SD_BUS_VTABLE_END;
                        v++)
                        if (v->type == _SD_BUS_VTABLE_METHOD &&
                                streq(interfaces[i].interface, m->interface) &&
                                streq(v->x.method.member, m->member))
                                return true;
        return false;
}

/* A row that nobody can call is a mistyped one, or its method is somewhere this test does not look.
 * One that asks late asks by itself, so that an action beside it would never be asked for. */
static void test_every_row(void **state)
{
        const BusMethod *m;

        for (size_t i = 0; (m = bus_method_at(i)); i++) {
                if (!is_offered(m))
                        fail_msg("%s.%s is offered nowhere", m->interface, m->member);
                assert_ptr_equal(bus_method_find(m->interface, m->member), m);
                assert_true((m->action != NULL) + (m->choose != NULL) + m->later <= 1);
        }
}

/* What is offered without this table is offered elsewhere: libsystemd asks for root there. */
static void test_every_interface(void **state)
{
        char *text = NULL;
        size_t size, n = 0;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        assert_int_equal(bus_introspect(f), 0);
        assert_int_equal(fclose(f), 0);
        for (const char *at = text; (at = strstr(at, "<interface name=\"org.pmemremoved1.")); at++)
                n++;
        free(text);
        assert_int_equal(n, ELEMENTSOF(interfaces));
}

static void test_every_method(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(interfaces); i++)
                for (const sd_bus_vtable *v = interfaces[i].vtable; v->type != _SD_BUS_VTABLE_END;
                        v++) {
                        const BusMethod *m;

                        /* A property that can be set would be a way round the table. */
                        assert_int_not_equal(v->type, _SD_BUS_VTABLE_WRITABLE_PROPERTY);
                        if (v->type != _SD_BUS_VTABLE_METHOD)
                                continue;
                        m = bus_method_find(interfaces[i].interface, v->x.method.member);
                        if (!m)
                                fail_msg("%s has no row in bus-polkit.c", v->x.method.member);
                        assert_non_null(m->handler);
                        assert_true(v->x.method.handler != (sd_bus_message_handler_t)m->handler);
                        if (only_reads(m->member) == bus_method_asks(m))
                                fail_msg("%s: does it change something?", m->member);
                }
}

static void test_default_deny(void **state)
{
        assert_null(bus_method_find(BUS_INTERFACE_MANAGER, "Destroy"));
        assert_null(bus_method_find(BUS_INTERFACE_DEVICE, "RequestRemove"));
        assert_null(bus_method_find("", "RequestRemove"));
}

static bool is_action(const char *id, size_t length)
{
        const char *action;

        for (size_t i = 0; (action = bus_polkit_action(i)); i++)
                if (strlen(action) == length && strncmp(action, id, length) == 0)
                        return true;
        return false;
}

static void test_policy_file(void **state)
{
        const char *top = getenv("top_srcdir"), *action, *tag = "<action id=\"";
        _cleanup_(freep) char *path =
                string_printf("%s/conf/org.pmemremoved1.policy", top ? top : ".");
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(read_full_file(path, 65536, &text, NULL), 0);
        for (size_t i = 0; (action = bus_polkit_action(i)); i++) {
                _cleanup_(freep) char *element = string_printf("%s%s\">", tag, action);

                if (!strstr(text, element))
                        fail_msg("%s does not define %s", path, action);
        }
        for (const char *at = text; (at = strstr(at, tag));) {
                at += strlen(tag);
                if (!is_action(at, strcspn(at, "\"")))
                        fail_msg("%s defines %.60s, which nothing asks for", path, at);
        }
}

/* An action of a row is one of those. */
static void test_known_actions(void **state)
{
        const BusMethod *m;

        for (size_t i = 0; (m = bus_method_at(i)); i++)
                if (m->action && !is_action(m->action, strlen(m->action)))
                        fail_msg("%s needs %s, which is no action", m->member, m->action);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_method),
                cmocka_unit_test(test_every_row),
                cmocka_unit_test(test_every_interface),
                cmocka_unit_test(test_known_actions),
                cmocka_unit_test(test_default_deny),
                cmocka_unit_test(test_policy_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
