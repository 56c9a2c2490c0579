/* SPDX-License-Identifier: ISC */
/* The configuration as the server understood it; secrets are masked by the server. */
import { html, useState } from "./html.js";
import { get } from "./api.js";
import { Card, Empty, Field, Loaded, Page, Tabs, useData } from "./ui.js";
import { t } from "./words.js";

/* [[path, text]] of every setting below a value. */
function flatten(value, path) {
  if (Array.isArray(value) && value.every((part) => part === null || typeof part !== "object")) {
    return [[path, `[ ${value.map((part) => JSON.stringify(part)).join(", ")} ]`]];
  }
  if (value !== null && typeof value === "object") {
    return Object.entries(value).flatMap(([name, part]) =>
      flatten(part, path ? `${path}.${name}` : name));
  }
  return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
}

function Settings({ settings }) {
  const [wanted, setWanted] = useState("");
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = ([path, text]) => {
    const whole = `${path} ${text}`.toLowerCase();
    return words.every((part) => whole.includes(part));
  };
  const groups = Object.entries(settings).map(([name, value]) =>
    [name, flatten(value, name).filter(matches)]).filter(([, rows]) => rows.length > 0);
  return html`<div class="stack">
    <${Field} label=${t("config.search")}><input type="search" value=${wanted}
      onInput=${({ target }) => setWanted(target.value)} placeholder="deepgram model" /><//>
    ${groups.length === 0 && html`<${Empty} title=${t("config.none")}><p>${t("config.none_why")}</p>
      <//>`}
    ${groups.map(([name, rows]) => html`<${Card} key=${name} flush title=${name}>
      <dl class="settings">${rows.map(([path, text]) => html`<div key=${path}>
        <dt class="code">${path}</dt><dd class="code">${text}</dd></div>`)}</dl><//>`)}
  </div>`;
}

export default function Config() {
  const of = useData((signal) => get("/admin/api/config/", { signal }));
  const [tab, setTab] = useState("settings");
  return html`<${Page} title=${t("nav.config")}>
    <${Loaded} of=${of}>${({ file, settings, text }) => html`<div class="stack">
      <p class="muted">${t("config.about")} <code>${file || t("config.builtin")}</code></p>
      ${text ? html`<${Tabs} label=${t("nav.config")} value=${tab} onChange=${setTab} tabs=${[
          { id: "settings", label: t("config.settings") }, { id: "text", label: t("config.text") }]}>
        ${tab === "text" ? html`<pre class="command">${text}</pre>`
          : html`<${Settings} settings=${settings} />`}<//>`
        : html`<${Settings} settings=${settings} />`}
    </div>`}<//>
  <//>`;
}
