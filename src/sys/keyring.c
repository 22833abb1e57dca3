/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A service has a session keyring of its own without a link to the user's (KeyringMode=private), so
 * root's keyring is named by its special id, which also makes this process its possessor.
 *
 * The type is "user" and not "logon", which nobody could read back: then an encrypted device would
 * come back with a table that names the key, and could never be given back a second time. Who can
 * read this key is who can read the table that it is from (DM_TABLE_STATUS). */

#include <linux/keyctl.h>
#include <sys/syscall.h>

#include "sys/keyring.h"

#define KEY_TYPE "user"

static long find(const char *name)
{
        long id = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, KEY_TYPE, name, 0);

        return id < 0 ? -errno : id;
}

int keyring_put(const char *name, const void *secret, size_t size)
{
        long id = syscall(SYS_add_key, KEY_TYPE, name, secret, size, KEY_SPEC_USER_KEYRING);

        return id < 0 ? -errno : 0;
}

/* Found by its number alone a key is not possessed, and only the possessor may read it; what lies
 * in a keyring of the process is. */
ssize_t keyring_get(const char *name, void *buf, size_t size)
{
        long id = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, KEY_TYPE, name,
                KEY_SPEC_PROCESS_KEYRING);
        ssize_t n;
        int e;

        if (id < 0)
                return -errno;
        n = syscall(SYS_keyctl, KEYCTL_READ, id, buf, size);
        e = errno;
        (void)syscall(SYS_keyctl, KEYCTL_UNLINK, id, KEY_SPEC_PROCESS_KEYRING);
        if (n < 0)
                return -e;
        return (size_t)n > size ? -E2BIG : n;
}

int keyring_forget(const char *name)
{
        long id = find(name);

        if (id < 0)
                return id == -ENOKEY ? 0 : (int)id;
        /* With its last link the key goes, and its content is overwritten (user_destroy()). */
        return syscall(SYS_keyctl, KEYCTL_UNLINK, id, KEY_SPEC_USER_KEYRING) < 0 ? -errno : 0;
}
