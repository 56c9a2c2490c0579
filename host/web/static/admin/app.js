/* SPDX-License-Identifier: ISC */
/* The frame of all admin pages: who one is, where one can go, and the page itself. */
import { html, render, useEffect, useState } from "./html.js";
import { LogIn } from "./login.js";
import { changePassword } from "./password.js";
import { findSession, logOut, may, session } from "./session.js";
import { go, route } from "./router.js";
import { choice, chooseTheme } from "./theme.js";
import { Button, ErrorNote } from "./ui.js";
import { chooseLanguage, language, languages, t } from "./words.js";

/* name: [its module, the scope it needs, what its sign looks like] */
const PAGES = {
  "": ["overview", "read", "M4 19V10M9 19V5M14 19v-7M19 19V8"],
  live: ["live", "read", "M12 12m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M7 7a7 7 0 0 0 0 10M17 7a7 7 0 0 1 0 10"],
  calls: ["calls", "read", "M4 6h16M4 12h16M4 18h10"],
  plugins: ["plugins", "read", "M9 3v5M15 3v5M6 8h12v4a6 6 0 0 1-12 0zM12 18v3"],
  config: ["config", "admin", "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4"],
  keys: ["keys", "admin", "M8 15m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0M11 12l8-8M16 7l3 3"],
  users: ["users", "admin", "M9 8m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0M3 20a6 6 0 0 1 12 0M16 5a3 3 0 0 1 0 6M18 14a6 6 0 0 1 3 6"],
  audit: ["audit", "admin", "M6 3h9l4 4v14H6zM9 12h6M9 16h6"],
};
const CALL_PAGE = "call";

function Sign({ path }) {
  return html`<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" fill="none"
    stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"
    ><path d=${path} /></svg>`;
}

function Choices() {
  return html`<div class="choices">
    <label><span class="unseen">${t("nav.theme")}</span>
      <select value=${choice.value} onChange=${({ target }) => chooseTheme(target.value)}>
        <option value="">${t("theme.system")}</option>
        <option value="light">${t("theme.light")}</option>
        <option value="dark">${t("theme.dark")}</option>
      </select></label>
    <label><span class="unseen">${t("nav.language")}</span>
      <select value=${language} onChange=${({ target }) => chooseLanguage(target.value)}>
        ${Object.entries(languages).map(([name, label]) =>
          html`<option value=${name} lang=${name}>${label}</option>`)}
      </select></label>
  </div>`;
}

function Person() {
  const { name, role } = session.value.user;
  return html`<div class="person">
    <p><strong>${name}</strong> <span class="muted">${t(`role.${role}`)}</span></p>
    <div class="row">
      <${Button} kind="quiet" onClick=${changePassword}>${t("nav.password")}<//>
      <${Button} kind="quiet" onClick=${logOut}>${t("nav.logout")}<//>
    </div>
  </div>`;
}

function Navigation({ here }) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [here]);
  return html`<aside class=${isOpen ? "side open" : "side"}>
    <div class="side-head">
      <a class="brand" href="#/"><img src="/static/admin/favicon.svg" alt="" width="22" height="22"
        />aicaller</a>
      <button class="button quiet menu" type="button" aria-expanded=${isOpen ? "true" : "false"}
        aria-controls="navigation" onClick=${() => setOpen(!isOpen)}>${t("nav.menu")}</button>
    </div>
    <div class="side-body" id="navigation">
      <nav aria-label=${t("nav.pages")}>
        ${Object.entries(PAGES).filter(([, [, scope]]) => may(scope)).map(([name, [module, , path]]) =>
          html`<a href="#/${name}" aria-current=${here === name ? "page" : undefined}
            ><${Sign} path=${path} />${t(`nav.${module}`)}</a>`)}
      </nav>
      ${may("call") && html`<nav aria-label=${t("nav.try")}>
        <a href="/calls/voice-test/" target="_blank" rel="noopener"><${Sign}
          path="M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4"
          />${t("nav.voice")}</a>
        <a href="/calls/test/" target="_blank" rel="noopener"><${Sign}
          path="M4 5h16v11H9l-5 4z" />${t("nav.chat")}</a>
      </nav>`}
      <div class="side-foot"><${Person} /><${Choices} /></div>
    </div>
  </aside>`;
}

/* The page of that name, once its module is here. */
function usePage(name) {
  const [state, setState] = useState({});
  useEffect(() => {
    import(`./${name}.js`).then(
      (module) => setState({ name, View: module.default }),
      () => setState({ name, error: new Error(t("error.0")) }));
  }, [name]);
  return state.name === name ? state : {};
}

function View({ module, params, query }) {
  const { View: Shown, error } = usePage(module);
  if (error) {
    return html`<${ErrorNote} error=${error} retry=${() => location.reload()} />`;
  }
  return Shown ? html`<${Shown} key=${params.join("/")} params=${params} query=${query} />`
    : html`<p class="muted waiting">${t("ui.loading")}</p>`;
}

function Frame() {
  const { page, params, query } = route.value;
  const [module, scope] = page === "calls" && params.length > 0 ? [CALL_PAGE, "read"]
    : PAGES[page] ?? [];
  const toMain = (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  };
  return html`<a class="skip" href="#main" onClick=${toMain}>${t("nav.skip")}</a>
    <div class="frame">
      <${Navigation} here=${page} />
      <main id="main" tabindex="-1">
        ${!module && html`<div class="page"><h1>${t("nav.nowhere")}</h1>
          <p><a href="#/">${t("nav.back")}</a></p></div>`}
        ${module && !may(scope) && html`<div class="page"><h1>${t("nav.forbidden")}</h1>
          <p class="muted">${t("nav.forbidden_why", { role: t(`role.${session.value.user.role}`) })}
          </p></div>`}
        ${module && may(scope) && html`<${View} key=${module} module=${module} params=${params}
          query=${query} />`}
      </main>
    </div>`;
}

function App() {
  const [state, setState] = useState({});
  const find = () => findSession().then((hasUsers) => setState({ isKnown: true, hasUsers }),
    (error) => setState({ error }));
  useEffect(() => {
    find();
  }, []);
  if (session.value) {
    return html`<${Frame} />`;
  }
  if (state.error) {
    return html`<main class="login"><${ErrorNote} error=${state.error} retry=${find} /></main>`;
  }
  return state.isKnown && html`<${LogIn} hasUsers=${state.hasUsers} choices=${html`<${Choices} />`} />`;
}

if (!location.hash) {
  go("#/", { replace: true });
}
render(html`<${App} />`, document.getElementById("app"));
