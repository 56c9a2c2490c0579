/* SPDX-License-Identifier: ISC */
/* API keys. A key itself is shown once, when it is made. */
import { html } from "./html.js";
import { get, query as queryText, send } from "./api.js";
import {
  announce, Button, Card, Chip, CopyButton, Empty, Field, formDialog, Loaded, More, openDialog, Page,
  Table, useData, When,
} from "./ui.js";
import { t } from "./words.js";

const SCOPES = ["read", "call", "admin"];
const LIVES = { "": "keys.ever", 7: "keys.days", 30: "keys.days", 90: "keys.days", 365: "keys.days" };

const showKey = (key) => openDialog(t("keys.made"), ({ close }) => html`<div class="stack">
  <p>${t("keys.once")}</p>
  <pre class="command" id="new-key" tabindex="0">${key}</pre>
  <div class="row end"><${CopyButton} text=${key} />
    <${Button} kind="primary" onClick=${() => close()}>${t("keys.kept")}<//></div></div>`);

async function add(reload) {
  let made = null;
  await formDialog({
    title: t("keys.add"),
    action: t("keys.add"),
    fields: html`<${Field} label=${t("keys.name")} hint=${t("keys.name_hint")}><input name="name"
        required maxlength="64" autocomplete="off" /><//>
      <fieldset><legend>${t("keys.scopes")}</legend>${SCOPES.map((scope) => html`<label class="check"
        ><input type="checkbox" name="scope" value=${scope} defaultChecked=${scope === "read"} />
        <span>${t(`scope.${scope}`)}</span></label>`)}</fieldset>
      <${Field} label=${t("keys.expires")}><select name="days">${Object.entries(LIVES).map(
        ([days, text]) => html`<option value=${days} selected=${days === "90"}
          >${t(text, { days })}</option>`)}</select><//>`,
    act: async ({ name, days }, form) => {
      const scopes = new FormData(form).getAll("scope");
      if (scopes.length === 0) {
        throw new Error(t("keys.no_scope"));
      }
      const expires = days && new Date(Date.now() + days * 86400000).toISOString();
      made = await send("POST", "/admin/api/keys/",
        { name, scopes, ...(expires && { expires_at: expires }) });
    },
  });
  if (made) {
    await showKey(made.key);
    reload();
  }
}

async function revoke(key, reload) {
  const isDone = await formDialog({
    title: t("keys.revoke_title", { name: key.name }),
    text: t("keys.revoke_text"),
    action: t("keys.revoke"),
    kind: "danger",
    act: () => send("DELETE", `/admin/api/keys/${encodeURIComponent(key.key_id)}/`),
  });
  if (isDone) {
    announce(t("keys.revoked"));
    reload();
  }
}

function State({ item }) {
  if (item.revoked_at) {
    return html`<${Chip} kind="bad">${t("keys.revoked")}<//>`;
  }
  return item.expires_at && Date.parse(item.expires_at) < Date.now()
    ? html`<${Chip} kind="warn">${t("keys.expired")}<//>`
    : html`<${Chip} kind="good">${t("keys.good")}<//>`;
}

function Row({ item, reload }) {
  return html`<tr>
    <td><strong>${item.name}</strong></td>
    <td class="code">${item.prefix}…</td>
    <td>${(item.scopes ?? []).join(", ")}</td>
    <td><${State} item=${item} /></td>
    <td><${When} value=${item.used_at} /></td>
    <td><${When} value=${item.expires_at} /></td>
    <td><${When} value=${item.created_at} />${item.created_by && html` <span class="muted"
      >${item.created_by}</span>`}</td>
    <td class="number">${!item.revoked_at && html`<${Button} kind="quiet danger"
      onClick=${() => revoke(item, reload)}>${t("keys.revoke")}…<//>`}</td>
  </tr>`;
}

const HEAD = [t("keys.name"), t("keys.prefix"), t("keys.scopes"), t("users.state"), t("keys.used"),
  t("keys.expires"), t("users.created"), { label: t("users.change"), number: true }];

export default function Keys({ query }) {
  const asked = queryText({ after: query.after });
  const of = useData((signal) => get(`/admin/api/keys/${asked}`, { signal }), [asked]);
  return html`<${Page} title=${t("nav.keys")} actions=${html`<${Button} kind="primary"
      onClick=${() => add(of.reload)}>${t("keys.add")}…<//>`}>
    <p class="muted">${t("keys.about")}</p>
    <${Loaded} of=${of}>${({ keys, next }) => html`<${Card} flush>${keys.length === 0
      ? html`<${Empty} title=${t("keys.none")}><p>${t("keys.none_why")}</p>
          <pre class="command">aicaller key add crm</pre><//>`
      : html`<${Table} label=${t("nav.keys")} head=${HEAD}>
          ${keys.map((item) => html`<${Row} key=${item.key_id} item=${item} reload=${of.reload} />`)}
        <//>`}<${More} page="keys" after=${query.after} next=${next} /><//>`}<//>
  <//>`;
}
