/* SPDX-License-Identifier: ISC */
#include "web/admin.h"

/* What the server was started with: its configuration, secrets masked, and its plugins. Both were
 * written down then (web_settings.about). */

enum { MAX_ANSWER = 4 << 20 };

static int32_t get_config(struct web *web, const struct visit *visit)
{
    const struct web_about *about = &web->settings.about;
    struct aic_buf answer;
    struct aic_json_writer w;
    aic_buf_init(&answer, MAX_ANSWER);
    aic_json_writer_init(&w, &answer);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "file", about->file);
    aic_json_member_raw(&w, "settings", about->settings);
    aic_json_member(&w, "text", about->text);
    aic_json_close(&w, '}');
    int32_t result = answer.failed ? reply_problem(visit->exchange, 503, "too-large",
                                                   "The configuration is too large to be shown.")
                                   : reply_json(visit->exchange, 200, aic_buf_view(&answer));
    aic_buf_finish(&answer);
    return result;
}

static void write_roles(const struct provider *provider, struct aic_json_writer *w)
{
    aic_json_key(w, "roles");
    aic_json_open(w, '[');
    for (int role = 0; role < PROVIDER_ROLES; role++) {
        const char *name = provider_role_name((enum provider_role)role);
        if (provider_has_role(provider, name)) {
            aic_json_put(w, aic_str(name));
        }
    }
    aic_json_close(w, ']');
}

static const char *why_of(enum breaker_state state)
{
    switch (state) {
    case BREAKER_OPEN:
        return "It failed too often and is left out; it is tried again in the background.";
    case BREAKER_HALF_OPEN:
        return "It failed, and is being tried again.";
    default:
        return NULL;
    }
}

static void write_provider(const struct provider *provider, struct aic_json_writer *w)
{
    enum breaker_state worst = health_state(provider);
    aic_json_open(w, '{');
    aic_json_member_text(w, "name", provider->name);
    aic_json_member_text(w, "plugin", provider->plugin->id);
    write_roles(provider, w);
    aic_json_member_text(w, "state", breaker_state_name(worst));
    if (why_of(worst)) {
        aic_json_member_text(w, "why", why_of(worst));
    }
    aic_json_close(w, '}');
}

static int32_t get_plugins(struct web *web, const struct visit *visit)
{
    struct aic_buf answer;
    struct aic_json_writer w;
    aic_buf_init(&answer, MAX_ANSWER);
    aic_json_writer_init(&w, &answer);
    aic_json_open(&w, '{');
    aic_json_member_raw(&w, "plugins", web->settings.about.plugins);
    aic_json_key(&w, "providers");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < web->settings.provider_count; i++) {
        write_provider(web->settings.providers[i], &w);
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
    int32_t result = reply_json(visit->exchange, 200, aic_buf_view(&answer));
    aic_buf_finish(&answer);
    return result;
}

void admin_about_routes(struct web *web)
{
    admin_route(web, AIC_METHOD_GET, "/admin/api/config/", get_config);
    web_route(
        web, AIC_METHOD_GET, "/admin/api/plugins/",
        &(struct web_route){.scope = API_SCOPE_READ, .needs_session = true, .handle = get_plugins});
}
