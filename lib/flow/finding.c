/* SPDX-License-Identifier: MIT */
#include "flow/finding.h"

const char *sd_severity_name(enum sd_severity s)
{
    switch (s) {
    case SD_INFO:
        return "info";
    case SD_WARNING:
        return "warning";
    case SD_FATAL:
        return "fatal";
    }
    return "unknown";
}

const char *sd_confidence_name(enum sd_confidence c)
{
    switch (c) {
    case SD_LOW:
        return "low";
    case SD_MEDIUM:
        return "medium";
    case SD_HIGH:
        return "high";
    }
    return "unknown";
}
