/* SPDX-License-Identifier: ISC */
/* Who uses the pages, and what they may. The server decides; here it only shapes what is shown. */
import { farewell, get, send, session } from "./api.js";
import { effect } from "./html.js";
import { t } from "./words.js";

export { farewell, session };

const SCOPES = { viewer: ["read"], operator: ["read", "call"], admin: ["read", "call", "admin"] };

/* may("call"), may("admin") */
export const may = (scope) => (SCOPES[session.value?.user.role] ?? []).includes(scope);

/*
 * A sign for the other windows and for the test pages: since when there is a session, no more. Who
 * logs in or out in one window does so in all.
 */
const SIGN = "session";

function tellOthers(isIn) {
  if (isIn) {
    localStorage.setItem(SIGN, String(Date.now()));
  } else {
    localStorage.removeItem(SIGN);
  }
}

window.addEventListener("storage", ({ key, newValue }) => {
  if (key === SIGN && session.value !== undefined) {
    if (!newValue && session.value) {
      farewell.value = t("login.ended");
    }
    findSession().catch(() => {});
  }
});

effect(() => {
  if (session.value === null) {
    tellOthers(false);
  }
});

/* Finds out who is logged in. Returns whether there are users at all. */
export async function findSession() {
  try {
    session.value = await get("/admin/api/session/");
    if (!localStorage.getItem(SIGN)) {
      tellOthers(true);
    }
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
  tellOthers(true);
}

export async function logOut() {
  await send("POST", "/admin/api/logout/", {});
  farewell.value = "";
  session.value = null;
}
