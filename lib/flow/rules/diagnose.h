/* Runs the rules over one handshake. */
#ifndef SD_FLOW_RULES_DIAGNOSE_H
#define SD_FLOW_RULES_DIAGNOSE_H

#include "flow/diagnosis.h"

/* For sd_tracker_config.diagnose. */
sd_diagnosis sd_diagnose;

#endif
