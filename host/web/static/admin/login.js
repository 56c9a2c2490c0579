/* SPDX-License-Identifier: ISC */
import { html, useEffect, useRef, useState } from "./html.js";
import { farewell, logIn } from "./session.js";
import { Button, ErrorNote, Field, Note } from "./ui.js";
import { t } from "./words.js";

function Form() {
  const [error, setError] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const name = useRef();
  const password = useRef();
  useEffect(() => name.current.focus(), []);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await logIn(name.current.value.trim(), password.current.value);
    } catch (failure) {
      setError(failure);
      setBusy(false);
      password.current.value = "";
      password.current.focus();
    }
  };
  return html`<form class="stack" onSubmit=${submit}>
    ${farewell.value && !error && html`<${Note} kind="warn"><p role="status">${farewell.value}</p><//>`}
    <${ErrorNote} error=${error} />
    <${Field} label=${t("login.name")}><input ref=${name} name="name" autocomplete="username"
      autocapitalize="none" spellcheck=${false} required maxlength="64" /><//>
    <${Field} label=${t("login.password")}><input ref=${password} name="password" type="password"
      autocomplete="current-password" required maxlength="1024" /><//>
    <${Button} kind="primary" type="submit" disabled=${isBusy}>
      ${isBusy ? t("login.busy") : t("login.action")}<//>
  </form>`;
}

export function LogIn({ hasUsers, choices }) {
  useEffect(() => {
    document.title = `${t("login.title")} · aicaller`;
  }, []);
  return html`<main class="login">
    <section class="card" aria-labelledby="login-title">
      <p class="brand"><img src="/static/admin/favicon.svg" alt="" width="28" height="28" />aicaller</p>
      <h1 id="login-title">${t("login.title")}</h1>
      ${hasUsers ? html`<${Form} />` : html`<div class="stack">
        <p>${t("login.nobody")}</p>
        <pre class="command">aicaller user add NAME --role admin</pre>
        <${Button} kind="primary" onClick=${() => location.reload()}>${t("login.reload")}<//>
      </div>`}
    </section>
    ${choices}
  </main>`;
}
