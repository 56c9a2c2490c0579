/* SPDX-License-Identifier: ISC */
#include "cli/place.h"

#include "cli/conf.h"
#include "io/control_client.h"
#include "plugin/setup_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy_of(const struct settings *settings, const char *name, const char *otherwise)
{
    const char *text = settings_string(settings, name);
    return strdup(text ? text : otherwise);
}

bool place_load(struct place *place, const char *path, struct config_problems *problems)
{
    static const char *const groups[] = {"tls", NULL};
    const char *name = NULL;
    *place = (struct place){.port = 0};
    struct config *config = conf_read(path, problems, &name);
    if (!config) {
        return false;
    }
    const struct config_node *server = config_get(config_root(config), "server");
    const struct config_node *state_dir = config_get(server, "state_dir");
    struct settings *settings = settings_check("server", server, &setup_server_table, 1, groups,
                                               SETTINGS_LENIENT, problems);
    if (config_unset(state_dir)) {
        config_problem_add(problems, config_pos(state_dir), "%s", config_unset(state_dir));
    }
    const char *own = getenv("AICALLER_PUBLIC_URL");
    place->state_dir = copy_of(settings, "state_dir", conf_default_state_dir());
    place->listen = copy_of(settings, "listen", "");
    place->public_url = own ? strdup(own) : copy_of(settings, "public_url", "");
    place->port = settings_int(settings, "port");
    settings_free(settings);
    config_free(config);
    if (problems->errors > 0 || !place->state_dir || !place->listen || !place->public_url) {
        place_finish(place);
        return false;
    }
    return true;
}

void place_finish(struct place *place)
{
    free(place->state_dir);
    free(place->listen);
    free(place->public_url);
    *place = (struct place){.port = 0};
}

struct control *place_connect(const struct place *place, const char *command)
{
    struct control *control = NULL;
    int32_t status = control_open(place->state_dir, &control);
    if (status == AIC_ERROR_DENIED) {
        (void)fprintf(stderr, "aicaller %s: the server in %s belongs to another user\n", command,
                      place->state_dir);
    } else if (status != AIC_OK) {
        (void)fprintf(stderr, "aicaller %s: no server runs in %s\n", command, place->state_dir);
    }
    return control;
}
