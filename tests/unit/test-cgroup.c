/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

#include "sys/cgroup.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_parse(void **state)
{
        static const struct {
                const char *path, *slice, *container;
        } cases[] = {
                { "/", "", "" },
                { "", "", "" },
                { "/system.slice/db.service", "system.slice", "" },
                { "/user.slice/user-1000.slice/session-1.scope", "user-1000.slice", "" },
                { "/system.slice/docker-" ID ".scope", "system.slice", "docker:0123456789ab" },
                { "/system.slice/docker-" ID ".scope/init.scope", "system.slice",
                        "docker:0123456789ab" },
                { "/docker/" ID, "", "docker:0123456789ab" },
                { "/system.slice/docker-short.scope", "system.slice", "" },
                { "/system.slice/docker.service", "system.slice", "" },
                { "/machine.slice/libpod-" ID ".scope/container", "machine.slice",
                        "podman:0123456789ab" },
                { "/machine.slice/libpod-conmon-" ID ".scope", "machine.slice", "" },
                { "/libpod_parent/libpod-" ID, "", "podman:0123456789ab" },
                { "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/"
                  "cri-containerd-" ID ".scope",
                        "kubepods-burstable-pod1.slice", "containerd:0123456789ab" },
                { "/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", "kubepods-pod1.slice",
                        "cri-o:0123456789ab" },
                { "/kubepods/burstable/pod1/" ID, "", "kubernetes:0123456789ab" },
                { "/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" ID,
                        "system.slice", "containerd:0123456789ab" },
                { "/lxc.payload.web/system.slice/nginx.service", "system.slice", "lxc:web" },
                { "/lxc/web/init.scope", "", "lxc:web" },
                { "/lxcfs/web", "", "" },
                { "/machine.slice/systemd-nspawn@web.service/payload", "machine.slice",
                        "nspawn:web" },
                { "/machine.slice/machine-web.scope", "machine.slice", "machine:web" },
        };
        Cgroup g;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                cgroup_parse(cases[i].path, &g);
                assert_string_equal(g.slice, cases[i].slice);
                assert_string_equal(g.container, cases[i].container);
                assert_false(g.frozen);
        }
}

/* Longer than any field. */
static void test_long(void **state)
{
        char path[600] = "/lxc.payload.";
        Cgroup g;

        memset(path + strlen(path), 'x', 300);
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/y.slice");
        cgroup_parse(path, &g);
        assert_int_equal(strlen(g.container), sizeof(g.container) - 1);
        assert_string_equal(g.slice, "y.slice");
}

static int stay(void *arg)
{
        return 0;
}

static void test_of_pid(void **state)
{
        Holder h = holder_start(stay, NULL);
        pid_t pid = h.pid;
        Cgroup g;

        assert_int_equal(cgroup_of_pid(getpid(), &g), 0);
        assert_false(g.frozen);
        holder_stop(&h);
        assert_int_equal(cgroup_of_pid(pid, &g), -ESRCH);
}

#define GROUP "/sys/fs/cgroup/pmemremoved-test"

static int enter_group(void *arg)
{
        write_file(GROUP "/cgroup.procs", "0");
        return 0;
}

static void test_frozen(void **state)
{
        Cgroup g;
        Holder h;

        if (access("/sys/fs/cgroup/cgroup.procs", W_OK) < 0 || mkdir(GROUP, 0700) < 0)
                skip();
        h = holder_start(enter_group, NULL);
        assert_int_equal(cgroup_of_pid(h.pid, &g), 0);
        assert_false(g.frozen);
        write_file(GROUP "/cgroup.freeze", "1");
        assert_int_equal(cgroup_of_pid(h.pid, &g), 0);
        assert_true(g.frozen);
        /* Frozen as it is it dies of this. */
        holder_stop(&h);
        assert_int_equal(rmdir(GROUP), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_long),
                cmocka_unit_test(test_of_pid),
                cmocka_unit_test(test_frozen),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
