/* SPDX-License-Identifier: ISC */
#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H
/*
 * What systemd (or another service manager) wants to hear, and what it hands over. All of it does
 * nothing where there is no service manager.
 */
#include <aicaller/abi.h>

/* Sends lines such as "READY=1\nSTATUS=2 workers". */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A reload begins; ends with READY=1. */
void notify_reloading(void);
/* How often the watchdog wants to hear WATCHDOG=1: half of its patience; 0 = never. */
int64_t notify_watchdog_us(void);
/* Listening sockets handed over by socket activation, made ours (closed on exec, non-blocking).
 * Returns how many were written to `fds`. To be called once. */
int notify_listen_fds(int *fds, int most);

#endif
