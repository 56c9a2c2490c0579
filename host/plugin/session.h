/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_SESSION_H
#define PLUGIN_SESSION_H
/*
 * A session of a call with a provider: opens it, passes its events to an owner, and closes it so
 * that a plugin never loses a session from under its own feet: asked for from inside one of the
 * session's events, the close waits until the plugin has returned.
 */
#include "plugin/provider.h"

struct session;

typedef void (*session_stt_handler)(void *owner, const struct aic_stt_event *event);
typedef void (*session_llm_handler)(void *owner, const struct aic_llm_event *event);
typedef void (*session_tts_handler)(void *owner, const struct aic_tts_event *event);

/* Open a session; a status instead of a session when the plugin refuses. */
int32_t session_open_stt(struct provider *provider, const struct aic_stt_open *params,
                         session_stt_handler handler, void *owner, struct session **session);
int32_t session_open_llm(struct provider *provider, const struct aic_llm_open *params,
                         session_llm_handler handler, void *owner, struct session **session);
int32_t session_open_tts(struct provider *provider, const struct aic_tts_open *params,
                         session_tts_handler handler, void *owner, struct session **session);
/* Ask the vendor whether it works, as `probe` of the role's table; only where that is there. */
int32_t session_probe_stt(struct provider *provider, session_stt_handler handler, void *owner,
                          struct session **session);
int32_t session_probe_llm(struct provider *provider, session_llm_handler handler, void *owner,
                          struct session **session);
int32_t session_probe_tts(struct provider *provider, session_tts_handler handler, void *owner,
                          struct session **session);
/* No event reaches the owner after this. Accepts NULL. */
void session_close(struct session *session);

/* The plugin's handle, for its role's functions. */
void *session_handle(const struct session *session);
struct provider *session_provider(const struct session *session);

/* Closes what waits to be closed; before the provider is destroyed. */
void session_close_waiting(struct provider *provider);

#endif
