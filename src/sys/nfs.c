/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's NFS server, seen from both sides: the table of exports that user space keeps, and
 * what of it the kernel holds. An export that a client has used keeps its mount busy through the
 * cache in /proc/net/rpc/nfsd.export, a file in use through NFSv4's state or the cache of open
 * files; no process shows either. One that nobody has used keeps nothing busy, but the first
 * request after the unmount would find the empty folder below. */

#include "sys/nfs.h"

#include <sys/sysmacros.h>

#include "sys/sysfs.h"

#define TABLE "/var/lib/nfs/etab"
#define SERVED "/proc/fs/nfs/exports"
#define CLIENTS "/proc/fs/nfsd/clients"
#define FILE_CACHE "/proc/fs/nfsd/filecache"
#define TEXT_MAX (4 * 1024 * 1024)

void nfs_export_list_done(NfsExportList *l)
{
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].path);
                free(l->items[i].client);
                free(l->items[i].options);
        }
        free(l->items);
        *l = (NfsExportList){ 0 };
}

static int append(NfsExportList *l, const char *path, const char *client, const char *options)
{
        NfsExport *e = reallocarray(l->items, l->n + 1, sizeof(*e));

        if (!e)
                return -ENOMEM;
        l->items = e;
        l->items[l->n++] = (NfsExport){
                .path = strdup(path),
                .client = strdup(client),
                .options = strdup(options),
        };
        e += l->n - 1;
        return e->path && e->client && e->options ? 0 : -ENOMEM;
}

/* "CLIENT(OPTIONS)", cut up in place. */
static int append_client(NfsExportList *l, const char *path, char *client)
{
        char *options = strchr(client, '('), *end = options ? strrchr(options, ')') : NULL;

        if (!end || end[1] != '\0' || options == client)
                return -EINVAL;
        *options++ = *end = '\0';
        return append(l, path, client, options);
}

int nfs_exports_parse(const char *path, const char *text, NfsExportList *l)
{
        _cleanup_(strv_freep) char **clients = NULL;
        int r = strv_split(text, &clients);

        for (char **client = clients; client && *client && r == 0; client++)
                r = append_client(l, path, *client);
        return r;
}

int nfs_exports_read(NfsExportList *l)
{
        _cleanup_(freep) char *text = NULL;
        char *save = NULL;
        int r = read_full_file(TABLE, TEXT_MAX, &text, NULL);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (char *line = strtok_r(text, "\n", &save); line && r == 0;
                line = strtok_r(NULL, "\n", &save)) {
                char *client = strchr(line, '\t');

                if (!client)
                        return -EINVAL;
                *client++ = '\0';
                unescape_octal(line);
                r = append_client(l, line, client);
        }
        return r;
}

bool nfs_exports_have(const NfsExportList *l, const NfsExport *e)
{
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].path, e->path) && streq(l->items[i].client, e->client))
                        return true;
        return false;
}

int nfs_served_read(char ***ret)
{
        _cleanup_(strv_freep) char **paths = NULL;
        _cleanup_(freep) char *text = NULL;
        char *save = NULL;
        int r = strv_split("", &paths);

        if (r == 0)
                r = read_full_file(SERVED, TEXT_MAX, &text, NULL);
        for (char *line = r == 0 ? strtok_r(text, "\n", &save) : NULL; line && r == 0;
                line = strtok_r(NULL, "\n", &save)) {
                line[strcspn(line, "\t ")] = '\0';
                unescape_octal(line);
                if (*line == '/')
                        r = strv_append(&paths, line);
        }
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = TAKE_PTR(paths);
        return 0;
}

/* One line per open, lock or delegation, with superblock: "MAJ:MIN:INODE" in hexadecimal digits
 * (nfs4_show_superblock(), fs/nfsd/nfs4state.c, 6.1 and 6.12). */
static bool has_state(const char *dir, const char *superblock)
{
        _cleanup_(freep) char *path = string_printf("%s/states", dir), *text = NULL;

        return path && read_full_file(path, TEXT_MAX, &text, NULL) == 0 && strstr(text, superblock);
}

static void find_address(const char *dir, char address[static 128])
{
        _cleanup_(freep) char *path = string_printf("%s/info", dir), *text = NULL;
        const char *at;

        (void)snprintf(address, 128, "unknown");
        if (!path || read_full_file(path, TEXT_MAX, &text, NULL) < 0)
                return;
        at = strstr(text, "address: \"");
        if (at && sscanf(at, "address: \"%127[^\"]", address) != 1)
                (void)snprintf(address, 128, "unknown");
}

int nfs_find_client(dev_t dev, char dir[static 256], char address[static 128])
{
        _cleanup_(strv_freep) char **names = NULL;
        char superblock[64];
        int r = sysfs_list(CLIENTS, &names);

        if (r < 0)
                return r;
        (void)snprintf(
                superblock, sizeof(superblock), "superblock: \"%02x:%02x:", major(dev), minor(dev));
        for (char **name = names; name && *name; name++) {
                (void)snprintf(dir, 256, CLIENTS "/%s", *name);
                if (has_state(dir, superblock)) {
                        find_address(dir, address);
                        return 0;
                }
        }
        return -ENOENT;
}

bool nfs_caches_files(void)
{
        static const char label[] = "total inodes:";
        _cleanup_(freep) char *text = NULL;
        const char *at;

        if (read_full_file(FILE_CACHE, TEXT_MAX, &text, NULL) < 0)
                return false;
        at = strstr(text, label);
        return at && strtoul(at + strlen(label), NULL, 10) > 0;
}
