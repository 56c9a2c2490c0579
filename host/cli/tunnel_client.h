/* SPDX-License-Identifier: ISC */
#ifndef CLI_TUNNEL_CLIENT_H
#define CLI_TUNNEL_CLIENT_H
/* A tunnel client of this machine (ngrok, cloudflared) as our child: found in PATH, started, heard
 * until it tells its address, and stopped by its process id. */
#include "io/tunnel.h"

#include "buf.h"

#include <signal.h>
#include <sys/types.h>

struct tunnel_client {
    enum tunnel_kind kind;
    const char *name;
    pid_t pid; /* 0 = does not run */
    int fd;    /* what it says; -1 = it has closed that */
    struct aic_buf line;
    struct tunnel_news news; /* the address once it is told, and the last complaint */
};

/* "ngrok" or "cloudflared"; TUNNEL_NONE for another name. */
enum tunnel_kind tunnel_client_kind(const char *name);
/*
 * Starts the wanted client, or with TUNNEL_NONE the first that is installed, to lead to `address`
 * ("127.0.0.1:8000"), with signals as in `mask`. AIC_ERROR_NOT_FOUND: none is installed.
 */
int32_t tunnel_client_start(struct tunnel_client *client, enum tunnel_kind wanted,
                            const char *address, const sigset_t *mask);
/* Takes what it has said; never blocks. */
void tunnel_client_read(struct tunnel_client *client);
/* Ends it and waits for that, with force after some seconds. Also for one that never ran. */
void tunnel_client_stop(struct tunnel_client *client);

#endif
