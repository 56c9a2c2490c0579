/* SPDX-License-Identifier: ISC */
#ifndef CALL_OPT_OUT_H
#define CALL_OPT_OUT_H
/*
 * Whether somebody says that he does not want to be called any more, in English or Hindi, whatever
 * the script. Pure. "Do not call me before nine" is no such wish. In doubt it is one.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

bool opt_out_is_said(struct aic_str text);

#endif
