/* SPDX-License-Identifier: ISC */
/* Who did what: log-ins, changes, refusals. */
import { html } from "./html.js";
import { get, query as queryText } from "./api.js";
import { Card, Chip, Empty, Loaded, More, Page, Table, useData, When } from "./ui.js";
import { t } from "./words.js";

const LIMIT = 50;
const KINDS = { ok: "good", done: "good", allowed: "good", refused: "warn", denied: "warn",
  failed: "bad" };

function Row({ row }) {
  const { call_id: callId, detail } = row;
  return html`<tr>
    <td><${When} value=${row.at} /></td>
    <td>${row.actor}</td>
    <td class="code">${row.action}</td>
    <td class="code wraps">${callId ? html`<a href="#/calls/${encodeURIComponent(callId)}"
      >${row.object || callId}</a>` : detail?.name ?? row.object}</td>
    <td><${Chip} kind=${KINDS[row.outcome] ?? "plain"}>${row.outcome}<//></td>
    <td class="wraps muted">${row.reason}</td>
  </tr>`;
}

const HEAD = [t("audit.when"), t("audit.who"), t("audit.what"), t("audit.object"),
  t("audit.outcome"), t("audit.reason")];

export default function Audit({ query }) {
  const asked = queryText({ after: query.after, limit: LIMIT });
  const of = useData((signal) => get(`/admin/api/audit/${asked}`, { signal }), [asked]);
  return html`<${Page} title=${t("nav.audit")}>
    <p class="muted">${t("audit.about")}</p>
    <${Loaded} of=${of}>${({ audit, next }) => html`<${Card} flush>${audit.length === 0
      ? html`<${Empty} title=${t("audit.none")}><p>${t("audit.none_why")}</p><//>`
      : html`<${Table} label=${t("nav.audit")} head=${HEAD}>
          ${audit.map((row) => html`<${Row} key=${row.audit_id} row=${row} />`)}<//>`}
      <${More} page="audit" after=${query.after} next=${next} /><//>`}<//>
  <//>`;
}
