/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_ERROR_H
#define AICALLER_ERROR_H
/*
 * What went wrong at a vendor, in words the host can act on. The plugin classifies, the host
 * decides: retries, back-off, circuit breakers and failover are never a plugin's business.
 */
#include <aicaller/abi.h>

AIC_BEGIN_DECLS

enum {
    AIC_CATEGORY_NONE = 0,
    AIC_CATEGORY_AUTH = 1,            /* the key is wrong or revoked */
    AIC_CATEGORY_PERMISSION = 2,      /* the key is good but may not do this */
    AIC_CATEGORY_BAD_REQUEST = 3,     /* the vendor will never accept this request */
    AIC_CATEGORY_NOT_FOUND = 4,       /* model, voice or call does not exist */
    AIC_CATEGORY_QUOTA = 5,           /* no credit left; waiting seconds does not help */
    AIC_CATEGORY_RATE_LIMIT = 6,      /* too many requests in a window */
    AIC_CATEGORY_CONCURRENCY = 7,     /* too many at the same time */
    AIC_CATEGORY_OVERLOADED = 8,      /* the vendor is short of capacity */
    AIC_CATEGORY_TIMEOUT = 9,         /* nothing came in time */
    AIC_CATEGORY_NETWORK = 10,        /* no connection, or it broke */
    AIC_CATEGORY_PROTOCOL = 11,       /* bytes that are not the protocol */
    AIC_CATEGORY_CONTENT_FILTER = 12, /* refused for its content */
    AIC_CATEGORY_TOOL_FORMAT = 13,    /* the model wrote a tool call that does not parse */
    AIC_CATEGORY_CANCELLED = 14,      /* because we asked for it */
    AIC_CATEGORY_UNSUPPORTED = 15,    /* not in this vendor's abilities */
    AIC_CATEGORY_SERVER = 16,         /* the vendor's own failure (5xx) */
    AIC_CATEGORY_TLS = 17,            /* certificate or handshake; never answered by a downgrade */
    AIC_CATEGORY_INTERNAL = 18        /* a defect of the plugin or of its library */
};

/* What the error is about. */
enum {
    AIC_SCOPE_NONE = 0,
    AIC_SCOPE_REQUEST = 1, /* only this request; the next may well succeed */
    AIC_SCOPE_SESSION = 2, /* the session; a new one may well succeed */
    AIC_SCOPE_PROVIDER = 3 /* everything under these credentials */
};

/* The plugin's advice. */
enum {
    AIC_RETRY_NONE = 0,        /* no advice; the host goes by the category */
    AIC_RETRY_NEVER = 1,       /* the same request will fail again */
    AIC_RETRY_NOW = 2,         /* at once, in this session */
    AIC_RETRY_AFTER = 3,       /* after retry_after_ms */
    AIC_RETRY_NEW_SESSION = 4, /* open a new session and go on */
    AIC_RETRY_FALL_BACK = 5    /* this provider is out; use the next one */
};

struct aic_error {
    uint32_t size;
    uint32_t category;
    uint32_t scope;
    uint32_t retry;
    int64_t retry_after_ms;    /* with AIC_RETRY_AFTER; else 0 */
    int32_t http_status;       /* 0 where there was none */
    int32_t close_code;        /* WebSocket close code (RFC 6455 7.4); 0 where there was none */
    uint32_t output_started;   /* 1 when part of the answer was delivered before */
    uint32_t reserved;         /* 0 */
    struct aic_str code;       /* the vendor's own code, as it wrote it */
    struct aic_str message;    /* for people; no secrets, no caller's words */
    struct aic_str request_id; /* what the vendor's support asks for */
};

AIC_END_DECLS
#endif
