/* SPDX-License-Identifier: ISC */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H
/*
 * Where a server of this machine runs: all that a command needs that only talks to it, read from
 * the configuration without opening plugins or asking for keys.
 */
#include "base/settings.h"

struct control;

struct place {
    char *state_dir;
    char *listen;
    char *public_url; /* as written; "" = none */
    int64_t port;
};

/* Finds the file as conf_load does. False when it can not be used; `problems` say why. */
bool place_load(struct place *place, const char *path, struct config_problems *problems);
void place_finish(struct place *place);
/* The running server's control socket; NULL after saying why there is none. */
struct control *place_connect(const struct place *place, const char *command);

#endif
