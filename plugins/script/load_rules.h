/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_LOAD_RULES_H
#define SCRIPT_LOAD_RULES_H
/* The part of loading that is about what happens: intents, states and their rules. */
#include "reader.h"

void script_load_intents(struct script_reader *reader);
void script_load_states(struct script_reader *reader);
/* The `misses` of the script or of one state, where `group` has some. */
void script_load_misses(struct script_reader *reader, const config_setting_t *group,
                        struct script_misses *misses);

#endif
