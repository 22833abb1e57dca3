/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Message ids of the journal, one per event that an administrator may want to be woken by. Each has
 * an entry in systemd/pmemremoved.catalog that says what happened and what to do. An id is never
 * used again for anything else. */

#define MESSAGE_STARTED "d9d338fd25e64cd2bed65ed381cd2326"
#define MESSAGE_REFUSED "12e7d7f959004631ad3ddf0c84633354"
#define MESSAGE_PROCESS_KILLED "77e08d1a95a148ca8d95d6e591fa00a4"
#define MESSAGE_FROZEN "b29a0243c7f4468bbf60e586b56253fc"
#define MESSAGE_THAWED "21cf77332bf14eab8db9e23f3f04352c"
#define MESSAGE_COMMITTED "c30f13bc00284f31926fa97a356b007d"
#define MESSAGE_REMOVED "255d2d5292004a599749c19a9504ff36"
#define MESSAGE_PARTIAL "3b8c0492d46840e08f7e0a8a0df98094"
#define MESSAGE_ROLLED_BACK "4b71ffdd0a894161a500f74236c6ac20"
#define MESSAGE_STUCK "e6746bcf003e434e952217fec4677cdd"
#define MESSAGE_RECOVERING "a0a28c136b5f42be826a8319de43bf8c"
#define MESSAGE_RECOVERED "aaea75e2ee8f4ff694e58d4246f1bbc6"
#define MESSAGE_BLOCKED "ade378f979734796b892bfe9a9b585f4"
#define MESSAGE_CONFIG_ERROR "f767ccdd02b541a094eadfff441bea0e"
#define MESSAGE_RELOADED "2899f068097141d3b7e034cf3fa83f29"
#define MESSAGE_SURPRISE "2e8fbc1ebcfb4b09ba340553c73e8810"
