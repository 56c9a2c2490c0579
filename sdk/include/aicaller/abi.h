/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_ABI_H
#define AICALLER_ABI_H
/*
 * The ground rules of the binary interface between aicaller and its plugins.
 *
 * 1. A table or a struct that crosses the line begins with `size`, its own sizeof as its author
 *    compiled it. It grows at its end only. A reader tests a member with AIC_HAS before use and
 *    ignores a tail it does not know. An absent function is NULL.
 * 2. Interfaces and services are found by a text id with a revision ("aicaller.stt/1"). A break
 *    gets a new id; both are served side by side for one major release.
 * 3. Memory is borrowed: what one side passes is valid until the call returns, unless a comment
 *    says otherwise. Whoever wants to keep it copies it. Nothing is ever handed over to be freed.
 * 4. Text is UTF-8. Text from a network is pointer and length (struct aic_str); ids are C strings.
 * 5. Times are int64_t microseconds, on the host's clock unless a name says `wall`.
 * 6. A function returns AIC_OK (0) or a negative status. What fails later is told through a sink.
 * 7. Enumerations are uint32_t members with anonymous enums for the values; 0 is "none"; values
 *    are never reused. A value that the reader does not know is ignored.
 *
 * Thread labels close each comment in brackets:
 *   [main]  at start and stop of a provider instance, on its loop thread
 *   [call]  during calls, on the same loop thread; must return within 5 ms
 *   [pool]  on a pool thread; may block
 *   [any]   from any thread
 * All [main] and [call] functions of one provider instance run on one loop thread and never at the
 * same time, so that a plugin needs no locks.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define AIC_BEGIN_DECLS extern "C" {
#define AIC_END_DECLS   }
#else
#define AIC_BEGIN_DECLS
#define AIC_END_DECLS
#endif

AIC_BEGIN_DECLS

/* Major 0 promises nothing between minors; 1.0 will. */
#define AIC_ABI_MAJOR 0u
#define AIC_ABI_MINOR 1u

/* Marks the one symbol that a plugin exports. */
#if defined(__GNUC__)
#define AIC_EXPORT __attribute__((visibility("default")))
#else
#define AIC_EXPORT
#endif

/* True if `member` lies within what the other side compiled, and is set (not NULL, not 0). */
#define AIC_HAS(type, pointer, member)                                                             \
    ((pointer)->size >= offsetof(type, member) + sizeof((pointer)->member) && (pointer)->member)

/* True if `member` lies within what the other side compiled; for numbers that may be 0. */
#define AIC_COVERS(type, pointer, member)                                                          \
    ((pointer)->size >= offsetof(type, member) + sizeof((pointer)->member))

/* Bytes with a length. `ptr` may be NULL when `len` is 0. Not terminated. */
struct aic_str {
    const char *ptr;
    size_t len;
};

/* Status codes of every function in this SDK. */
enum {
    AIC_OK = 0,
    AIC_ERROR_INVALID = -1,     /* the caller broke the contract; nothing was changed */
    AIC_ERROR_MEMORY = -2,      /* out of memory */
    AIC_ERROR_UNSUPPORTED = -3, /* the other side cannot do this */
    AIC_ERROR_BUSY = -4,        /* a bounded queue is full; nothing was taken */
    AIC_ERROR_CLOSED = -5,      /* the object is closed or closing */
    AIC_ERROR_NOT_FOUND = -6,   /* no such thing; from a route handler: "not mine, ask the next" */
    AIC_ERROR_IO = -7,          /* file or network */
    AIC_ERROR_CONFIG = -8,      /* the settings make no sense; the log says which */
    AIC_ERROR_PROTOCOL = -9,    /* the peer spoke nonsense */
    AIC_ERROR_TOO_LARGE = -10,  /* over a declared limit */
    AIC_ERROR_TIMEOUT = -11,    /* a deadline passed */
    AIC_ERROR_DENIED = -12,     /* not allowed */
    AIC_ERROR_CANCELLED = -13,  /* withdrawn before it ran */
    AIC_ERROR_INTERNAL = -14,   /* a defect; the log says more */
    AIC_ERROR_CONFLICT = -15    /* somebody else did it first */
};

AIC_END_DECLS
#endif
