/* SPDX-License-Identifier: ISC */
#include "cli/app_about.h"

#include "cli/config_show.h"
#include "cli/plugin_json.h"

#include "json.h"

#include <string.h>

enum { MAX_TEXT = 2 << 20 };

static bool is_first(const struct setup *setup, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (setup->providers[i]->plugin == setup->providers[index]->plugin) {
            return false;
        }
    }
    return true;
}

static void write_plugins(const struct setup *setup, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '[');
    for (size_t i = 0; i < setup->provider_count; i++) {
        const struct setup_provider *provider = setup->providers[i];
        if (provider->plugin && is_first(setup, i)) {
            plugin_json_write(provider->plugin, provider->file, false, &w);
        }
    }
    aic_json_close(&w, ']');
}

/* Empty where it is too large to be shown. */
static struct aic_str view(const struct aic_buf *buf)
{
    return buf->failed ? AIC_STR("") : aic_buf_view(buf);
}

struct web_about app_about_make(struct app_about *about, const struct conf *conf)
{
    aic_buf_init(&about->text, MAX_TEXT);
    aic_buf_init(&about->settings, MAX_TEXT);
    aic_buf_init(&about->plugins, MAX_TEXT);
    config_show_text(conf, false, &about->text);
    config_show_json(conf, &about->settings);
    write_plugins(conf->setup, &about->plugins);
    struct config_pos pos = config_pos(config_root(conf->setup->config));
    return (struct web_about){.file = pos.file ? pos.file : conf->name,
                              .text = view(&about->text),
                              .settings = view(&about->settings),
                              .plugins = view(&about->plugins)};
}

void app_about_finish(struct app_about *about)
{
    aic_buf_finish(&about->text);
    aic_buf_finish(&about->settings);
    aic_buf_finish(&about->plugins);
}
