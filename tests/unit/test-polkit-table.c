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

static void test_every_method(void **state)
{
        size_t n = 0;

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
                        if (only_reads(m->member) != (!m->action && !m->choose))
                                fail_msg("%s: does it change something?", m->member);
                        n++;
                }
        assert_int_equal(n, 11);
}

static void test_default_deny(void **state)
{
        assert_null(bus_method_find(BUS_INTERFACE_MANAGER, "Destroy"));
        assert_null(bus_method_find(BUS_INTERFACE_DEVICE, "RequestRemove"));
        assert_null(bus_method_find("", "RequestRemove"));
}

static void test_policy_file(void **state)
{
        static const char *const actions[] = { POLKIT_REMOVE, POLKIT_REMOVE_FORCED,
                POLKIT_REMOVE_IGNORE_INHIBIT, POLKIT_CANCEL_OTHER, POLKIT_INHIBIT_BLOCK,
                POLKIT_INHIBIT_DELAY, POLKIT_MANAGE };
        const char *top = getenv("top_srcdir");
        _cleanup_(freep) char *path =
                string_printf("%s/conf/org.pmemremoved1.policy", top ? top : ".");
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(read_full_file(path, 65536, &text, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(actions); i++) {
                _cleanup_(freep) char *tag = string_printf("<action id=\"%s\">", actions[i]);

                if (!strstr(text, tag))
                        fail_msg("%s does not define %s", path, actions[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_method),
                cmocka_unit_test(test_default_deny),
                cmocka_unit_test(test_policy_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
