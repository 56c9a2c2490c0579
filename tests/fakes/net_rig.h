/* SPDX-License-Identifier: ISC */
#ifndef FAKES_NET_RIG_H
#define FAKES_NET_RIG_H
/*
 * A loop on a thread of its own, so that a test can play the peer with blocking calls. What touches
 * the loop goes through net_rig_call.
 */
struct net_rig;
struct loop;

struct net_rig *net_rig_start(void);
/* The loop is destroyed: what lives on it is closed before, in a call. */
void net_rig_stop(struct net_rig *rig);
struct loop *net_rig_loop(struct net_rig *rig);
/* Runs a function on the loop and waits for its return. */
void net_rig_call(struct net_rig *rig, void (*run)(void *data), void *data);
/* The same while the loop stands still, for what turns the loop itself. */
void net_rig_call_outside(struct net_rig *rig, void (*run)(void *data), void *data);
/* Waits up to some seconds until `is_so(data)` is, asking on the loop; returns whether it became.
 */
int net_rig_wait(struct net_rig *rig, int (*is_so)(void *data), void *data);

#endif
