/* SPDX-License-Identifier: ISC */
#ifndef CLI_APP_ABOUT_H
#define CLI_APP_ABOUT_H
/* What the admin pages tell of the program: written down once, when it starts. */
#include "cli/conf.h"
#include "web/web.h"

#include "buf.h"

struct app_about {
    struct aic_buf text;
    struct aic_buf settings;
    struct aic_buf plugins;
};

/* What is returned points into `about`. */
struct web_about app_about_make(struct app_about *about, const struct conf *conf);
/* Accepts a zeroed one. */
void app_about_finish(struct app_about *about);

#endif
