/* SPDX-License-Identifier: ISC */
/* The one door to what others wrote for making elements: pages import from here. */
import { Fragment, h, render } from "/static/vendor/preact.js";
import htm from "/static/vendor/htm.js";

export const html = htm.bind(h);
export { Fragment, h, render };
export {
  useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState,
} from "/static/vendor/hooks.js";
export { batch, computed, effect, signal, useComputed, useSignal } from "/static/vendor/signals.js";
