/* SPDX-License-Identifier: ISC */
/* What all pages need: elements, the server's API, and words for people. */

export const byId = (id) => document.getElementById(id);

/* element("p", { class: "muted" }, "text", child): texts are only ever texts. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/* Shows a notice in `place`; `actions` maps the text of a button to what it does. */
export function showNotice(place, text, kind = "bad", actions = {}) {
  const buttons = Object.entries(actions).map(([label, act]) => {
    const button = element("button", { class: "button", type: "button" }, label);
    button.addEventListener("click", () => {
      place.replaceChildren();
      act();
    });
    return button;
  });
  const notice = element("div", { class: `notice ${kind}` }, element("p", {}, text));
  if (buttons.length > 0) {
    notice.append(element("div", { class: "row" }, ...buttons));
  }
  place.replaceChildren(notice);
}

/* An answer of the server that is none we hoped for; its message is for people. */
export class ServerError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

let key = "";

/* Asks for an API key; "" when the person gives none. */
function askForKey() {
  const input = element("input", { type: "password", id: "api-key", autocomplete: "off" });
  const dialog = element("dialog", { "aria-labelledby": "api-key-title" },
    element("form", { method: "dialog", class: "stack" },
      element("h2", { id: "api-key-title" }, "This server asks for an API key"),
      element("div", { class: "field" },
        element("label", { for: "api-key" }, "API key"), input),
      element("div", { class: "row" },
        element("button", { class: "button primary", value: "ok" }, "Use this key"),
        element("button", { class: "button", value: "" }, "Cancel"))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "ok" ? input.value.trim() : "");
    });
  });
}

/* The server's own words (a problem document), else ours. */
async function explain(response) {
  const problem = await response.json().catch(() => null);
  const own = problem && (problem.detail || problem.title);
  const ours = {
    401: "This server asks for an API key.",
    403: "The server refused: this page may not be used from here.",
    404: "The server does not know this function.",
    429: "Too many calls at once. Wait a moment, then try again.",
    503: "The server takes no new calls at the moment. Try again soon.",
  };
  return own || ours[response.status] || `The server answered with error ${response.status}.`;
}

/* What a change must carry from somebody who is logged in to the admin pages; "" from all others. */
async function sessionToken() {
  if (!localStorage.getItem("session")) {
    return "";
  }
  const response = await fetch("/admin/api/session/").catch(() => null);
  const answer = response?.ok ? await response.json().catch(() => null) : null;
  return answer?.csrf ?? "";
}

/* Fetches JSON: a POST with `body`, else a GET. Throws ServerError. */
export async function request(path, body) {
  const headers = { Accept: "application/json" };
  if (key) {
    headers.Authorization = `Bearer ${key}`;
  }
  if (body) {
    headers["Content-Type"] = "application/json";
    const token = await sessionToken();
    if (token) {
      headers["X-CSRF-Token"] = token;
    }
  }
  let response;
  try {
    response = await fetch(path, {
      method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body),
    });
  } catch {
    throw new ServerError("The server does not answer. Is it running?");
  }
  if (response.status === 401) {
    key = await askForKey();
    if (key) {
      return request(path, body);
    }
  }
  if (!response.ok) {
    throw new ServerError(await explain(response), response.status);
  }
  return response.json().catch(() => {
    throw new ServerError("The server's answer can not be read.");
  });
}

/* Fills the choice of agents; hides it where there is none. */
export async function offerAgents(select, summary, field) {
  const { agents = [] } = await request("/calls/agents/").catch(() => ({}));
  select.replaceChildren(...agents.map(({ name }) => element("option", { value: name }, name)));
  field.hidden = agents.length < 2 && !agents[0]?.summary;
  const show = () => {
    const chosen = agents.find(({ name }) => name === select.value);
    summary.textContent = chosen?.summary ?? "";
  };
  select.addEventListener("change", show);
  show();
}
