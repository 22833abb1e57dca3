/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names on the bus, shared by daemon and client. */

#define BUS_NAME "org.pmemremoved1"
#define BUS_PATH "/org/pmemremoved1"
#define BUS_PATH_DEVICE BUS_PATH "/device"
#define BUS_PATH_REMOVAL BUS_PATH "/removal"
#define BUS_INTERFACE_MANAGER "org.pmemremoved1.Manager"
#define BUS_INTERFACE_DEVICE "org.pmemremoved1.Device"
#define BUS_INTERFACE_REMOVAL "org.pmemremoved1.Removal"
#define BUS_ERROR_PREFIX "org.pmemremoved1.Error."
#define BUS_INTERFACE_LOGCONTROL "org.freedesktop.LogControl1"
#define BUS_PATH_LOGCONTROL "/org/freedesktop/LogControl1"
