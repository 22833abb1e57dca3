/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Only shown to people: nothing is thawed, and nothing is decided by the name of a cgroup, which
 * whoever made it has chosen. */

#include "sys/cgroup.h"

#include <fcntl.h>

#define CGROUP_MAX 16384
#define CONTAINER_ID 12 /* digits, as the engines' own lists show them */

/* How the engines name the cgroup of a container, by systemd or by themselves. */
static const struct {
        const char *prefix, *suffix;
        const char *engine;
        bool hex; /* an id of many hex digits, which is cut */
} table[] = {
        { "docker-", ".scope", "docker", true },
        { "libpod-", ".scope", "podman", true },
        { "libpod-", "", "podman", true },
        { "crio-", ".scope", "cri-o", true },
        { "cri-containerd-", ".scope", "containerd", true },
        { "nerdctl-", ".scope", "containerd", true },
        { "lxc.payload.", "", "lxc", false },
        { "systemd-nspawn@", ".service", "nspawn", false },
        { "machine-", ".scope", "machine", false },
};

/* Engines that make their cgroups themselves: below this folder, by the bare id or name. */
static const struct {
        const char *folder;
        const char *engine;
        bool hex;
} folders[] = {
        { "docker", "docker", true },
        { "kubepods", "kubernetes", true },
        { "lxc.payload", "lxc", false },
        { "lxc", "lxc", false },
};

static bool is_long_hex(const char *s, size_t n)
{
        return n >= 32 && strspn(s, "0123456789abcdef") >= n;
}

static bool set_container(Cgroup *g, const char *engine, bool hex, const char *id, size_t n)
{
        if (n == 0 || (hex && !is_long_hex(id, n)))
                return false;
        (void)snprintf(g->container, sizeof(g->container), "%s:%.*s", engine,
                (int)(hex ? CONTAINER_ID : n), id);
        return true;
}

static bool match_unit(Cgroup *g, const char *part, size_t n)
{
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                size_t prefix = strlen(table[i].prefix), suffix = strlen(table[i].suffix);

                if (n > prefix + suffix && strncmp(part, table[i].prefix, prefix) == 0 &&
                        strncmp(part + n - suffix, table[i].suffix, suffix) == 0 &&
                        set_container(g, table[i].engine, table[i].hex, part + prefix,
                                n - prefix - suffix))
                        return true;
        }
        return false;
}

/* "/kubepods/burstable/podUID/ID": an id may be deeper than the next level, a name may not. */
static bool match_folder(Cgroup *g, const char *top, size_t depth, const char *part, size_t n)
{
        for (size_t i = 0; i < ELEMENTSOF(folders); i++)
                if (strcspn(top, "/") == strlen(folders[i].folder) &&
                        strncmp(top, folders[i].folder, strlen(folders[i].folder)) == 0 &&
                        (depth == 1 || folders[i].hex))
                        return set_container(g, folders[i].engine, folders[i].hex, part, n);
        return false;
}

/* "kubepods-burstable-podUID.slice:cri-containerd:ID", which containerd makes of systemd's naming
 * when systemd does not make the cgroup. */
static bool match_colons(Cgroup *g, const char *part, size_t n)
{
        const char *id = memrchr(part, ':', n);

        return id && set_container(g, "containerd", true, id + 1, n - (size_t)(id + 1 - part));
}

static bool ends_in(const char *part, size_t n, const char *suffix)
{
        size_t k = strlen(suffix);

        return n > k && strncmp(part + n - k, suffix, k) == 0;
}

/* The innermost slice, and the innermost container. */
void cgroup_parse(const char *path, Cgroup *ret)
{
        const char *top = path + strspn(path, "/"), *part = top;
        size_t depth = 0, n;

        *ret = (Cgroup){ 0 };
        for (; (n = strcspn(part, "/")) > 0; part += n + strspn(part + n, "/"), depth++) {
                if (ends_in(part, n, ".slice"))
                        (void)snprintf(ret->slice, sizeof(ret->slice), "%.*s", (int)n, part);
                if (!match_unit(ret, part, n) && !match_colons(ret, part, n))
                        (void)match_folder(ret, top, depth, part, n);
        }
}

/* The line of the unified hierarchy, "0::/PATH", else that of systemd's own. */
static char *find_path(char *text)
{
        static const char *const controllers[] = { "0::", ":name=systemd:" };

        for (size_t i = 0; i < ELEMENTSOF(controllers); i++) {
                char *p = strstr(text, controllers[i]);

                if (!p)
                        continue;
                p += strlen(controllers[i]);
                p[strcspn(p, "\n")] = '\0';
                return p;
        }
        return NULL;
}

static bool file_has(const char *group, const char *file, const char *word)
{
        _cleanup_(freep) char *name = string_printf("/sys/fs/cgroup%s/%s", group, file);
        _cleanup_(freep) char *text = NULL;

        return name && read_full_file(name, CGROUP_MAX, &text, NULL) >= 0 && strstr(text, word);
}

/* cgroup.events says it also when a group further up was frozen, but only when all processes have
 * stopped, and one that sleeps in the kernel does not (kernel/cgroup/freezer.c). */
static bool is_frozen(const char *group)
{
        return file_has(group, "cgroup.events", "frozen 1") ||
               file_has(group, "cgroup.freeze", "1");
}

int cgroup_of_pid(pid_t pid, Cgroup *ret)
{
        _cleanup_(freep) char *text = NULL;
        const char *group;
        char path[32];
        int r;

        *ret = (Cgroup){ 0 };
        (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
        r = read_full_file(path, CGROUP_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        group = find_path(text);
        if (!group)
                return 0;
        cgroup_parse(group, ret);
        ret->frozen = is_frozen(group);
        return 0;
}
