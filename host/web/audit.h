/* SPDX-License-Identifier: ISC */
#ifndef WEB_AUDIT_H
#define WEB_AUDIT_H
/* What people did over the web, written into the table "audit" by way of the spool. */
#include "web/web_private.h"

/* Texts are copied; those that are NULL are left out. */
struct web_deed {
    const char *action;  /* "recording.read" */
    const char *object;  /* what it was done to: an id, never somebody's name or number */
    const char *outcome; /* "allowed", "refused" */
    const char *reason;
    const char *call_id;
    const char *name; /* of the object, for people: of a user or a key; kept in the detail */
};

void web_audit(struct web *web, const char *actor, const struct web_deed *deed);
/* Who asks: the name of the user or of the key, or "this machine". Borrowed from the visit. */
const char *web_actor(const struct visit *visit);

#endif
