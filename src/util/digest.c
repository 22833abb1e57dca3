/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plan ids are hashes of the plan's text; this is where the hash comes from. */

#include <gcrypt.h>

#include "util/digest.h"

#define SHA256_BYTES 32

static void library_start(void)
{
        static int started;

        if (started)
                return;
        (void)gcry_check_version(NULL);
        /* Nothing secret is hashed: no locked memory, whose set-up would drop capabilities. */
        gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
        gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
        started = 1;
}

void digest_hex(const void *data, size_t size, char ret[static DIGEST_MAX])
{
        static const char digits[] = "0123456789abcdef";
        unsigned char hash[SHA256_BYTES];

        library_start();
        gcry_md_hash_buffer(GCRY_MD_SHA256, hash, data, size);
        for (size_t i = 0; i < SHA256_BYTES; i++) {
                ret[2 * i] = digits[hash[i] >> 4];
                ret[2 * i + 1] = digits[hash[i] & 15];
        }
        ret[DIGEST_MAX - 1] = '\0';
}
