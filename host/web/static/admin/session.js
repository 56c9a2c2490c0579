/* SPDX-License-Identifier: ISC */
/* Who uses the pages, and what they may. The server decides; here it only shapes what is shown. */
import { farewell, get, send, session } from "./api.js";

export { farewell, session };

const SCOPES = { viewer: ["read"], operator: ["read", "call"], admin: ["read", "call", "admin"] };

/* may("call"), may("admin") */
export const may = (scope) => (SCOPES[session.value?.user.role] ?? []).includes(scope);

/* Finds out who is logged in. Returns whether there are users at all. */
export async function findSession() {
  try {
    session.value = await get("/admin/api/session/");
    return true;
  } catch (error) {
    session.value = null;
    if (error.status !== 401) {
      throw error;
    }
    return error.problem.has_users !== false;
  }
}

export async function logIn(name, password) {
  const answer = await send("POST", "/admin/api/login/", { name, password });
  farewell.value = "";
  session.value = answer;
}

export async function logOut() {
  await send("POST", "/admin/api/logout/");
  farewell.value = "";
  session.value = null;
}
