/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_AICALLER_H
#define AICALLER_AICALLER_H
/* Every stable header of the SDK. */
/* IWYU pragma: begin_exports */
#include <aicaller/abi.h>
#include <aicaller/audio.h>
#include <aicaller/clock.h>
#include <aicaller/error.h>
#include <aicaller/host.h>
#include <aicaller/http.h>
#include <aicaller/llm.h>
#include <aicaller/log.h>
#include <aicaller/option.h>
#include <aicaller/plugin.h>
#include <aicaller/pool.h>
#include <aicaller/post.h>
#include <aicaller/route.h>
#include <aicaller/storage.h>
#include <aicaller/stt.h>
#include <aicaller/telephony.h>
#include <aicaller/thread_check.h>
#include <aicaller/timer.h>
#include <aicaller/tts.h>
#include <aicaller/usage.h>
#include <aicaller/websocket.h>
/* IWYU pragma: end_exports */
#endif
