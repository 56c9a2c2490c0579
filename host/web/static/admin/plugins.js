/* SPDX-License-Identifier: ISC */
/* Which plugins are loaded, and how the providers made of them are. */
import { html } from "./html.js";
import { get } from "./api.js";
import { Button, Card, Chip, Loaded, Page, Table, useData } from "./ui.js";
import { t, word } from "./words.js";

const KINDS = { ok: "good", up: "good", closed: "good", ready: "good", degraded: "warn",
  half_open: "warn", slow: "warn", open: "bad", down: "bad", failed: "bad", broken: "bad" };

const Roles = ({ roles }) => html`<span class="row">${(roles ?? []).map((role) => html`<${Chip}
  >${role}<//>`)}</span>`;

function Provider({ provider }) {
  return html`<tr>
    <td><strong>${provider.name}</strong></td>
    <td class="code">${provider.plugin}</td>
    <td><${Roles} roles=${provider.roles} /></td>
    <td><${Chip} kind=${KINDS[provider.state] ?? "plain"}>${word("provider", provider.state)}<//></td>
    <td class="wraps muted">${provider.why}</td>
  </tr>`;
}

function Plugin({ plugin }) {
  return html`<tr>
    <td><strong>${plugin.id}</strong></td>
    <td class="number">${plugin.version}</td>
    <td><${Roles} roles=${plugin.roles} /></td>
    <td class="wraps">${plugin.summary}</td>
    <td class="code wraps">${plugin.file}</td>
  </tr>`;
}

export default function Plugins() {
  const of = useData((signal) => get("/admin/api/plugins/", { signal }));
  return html`<${Page} title=${t("nav.plugins")} actions=${html`<${Button} onClick=${of.reload}
      >${t("ui.refresh")}<//>`}>
    <${Loaded} of=${of}>${({ plugins, providers }) => html`<div class="stack">
      <${Card} flush title=${t("plugins.providers")}>
        <${Table} label=${t("plugins.providers")} head=${[t("plugins.provider"), t("plugins.plugin"),
          t("plugins.roles"), t("plugins.state"), t("plugins.why")]}>
          ${providers.map((provider) => html`<${Provider} key=${provider.name}
            provider=${provider} />`)}<//><//>
      <${Card} flush title=${t("plugins.loaded")}>
        <${Table} label=${t("plugins.loaded")} head=${[t("plugins.plugin"), t("plugins.version"),
          t("plugins.roles"), t("plugins.summary"), t("plugins.file")]}>
          ${plugins.map((plugin) => html`<${Plugin} key=${plugin.file} plugin=${plugin} />`)}<//><//>
    </div>`}<//>
  <//>`;
}
