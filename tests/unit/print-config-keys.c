/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Key=default, one line per key: what config-docs.sh compares the documentation with. */

#include "config.h"

int main(void)
{
        for (size_t i = 0; config_key_info(i); i++)
                (void)printf("%s=%s\n", config_key_info(i)->name, config_key_info(i)->default_text);
        return 0;
}
