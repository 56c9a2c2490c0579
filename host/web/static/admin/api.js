/* SPDX-License-Identifier: ISC */
/*
 * The server's API, asked with the cookie of the one who logged in. Whatever fails throws an ApiError
 * whose message is a sentence for people.
 */
import { signal } from "./html.js";
import { has, t } from "./words.js";

/* undefined: not known yet; null: nobody; else {user: {name, role}, csrf, expires_at}. */
export const session = signal(undefined);
/* Why the log-in page is shown to somebody who was in; "" = no reason. */
export const farewell = signal("");

export class ApiError extends Error {
  constructor(status, problem) {
    const type = String(problem?.type ?? "").split("#").pop();
    super(problem?.detail || (has(`error.${status}`) ? t(`error.${status}`)
      : t("error.other", { status })));
    this.name = "ApiError";
    this.status = status; /* 0: the server does not answer */
    this.type = type;
    this.problem = problem ?? {};
  }
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") {
      throw error;
    }
    throw new ApiError(0);
  }
  if (response.ok) {
    return response.status === 204 ? null : response.json().catch(() => {
      throw new ApiError(0);
    });
  }
  const problem = await response.json().catch(() => null);
  const error = new ApiError(response.status, problem);
  error.retryAfter = Number(response.headers.get("retry-after")) || 0;
  if (response.status === 401 && session.value) {
    farewell.value = t("login.ended");
    session.value = null;
  }
  throw error;
}

/* Fetches JSON; `options.signal` aborts. */
export const get = (path, options = {}) =>
  ask(path, { headers: { accept: "application/json" }, ...options });

/* Changes something: POST, PATCH, DELETE, with a JSON body or none. Returns what was answered. */
export function send(method, path, body) {
  const headers = { accept: "application/json" };
  if (session.value?.csrf) {
    headers["x-csrf-token"] = session.value.csrf;
  }
  if (body !== undefined) {
    headers["content-type"] = "application/json";
  }
  return ask(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

/* "?a=1&b=2" of what has a value; "" of nothing. */
export function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== "" && value !== undefined
    && value !== null);
  return pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : "";
}
