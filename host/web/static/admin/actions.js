/* SPDX-License-Identifier: ISC */
/* What one may do to a running call. */
import { html } from "./html.js";
import { send } from "./api.js";
import { may } from "./session.js";
import { announce, Button, Field, formDialog } from "./ui.js";
import { t } from "./words.js";

const RUNNING = new Set(["queued", "ringing", "in_progress"]);

/* Both sides of a call, for a sentence. */
export const sides = ({ from, to }) => t("call.sides", { from: from || "–", to: to || "–" });

async function hangUp(call) {
  const isDone = await formDialog({
    title: t("hangup.title"),
    text: t("hangup.text", { sides: sides(call) }),
    action: t("hangup.action"),
    kind: "danger",
    act: () => send("POST", `/calls/${encodeURIComponent(call.call_id)}/hangup/`),
  });
  if (isDone) {
    announce(t("hangup.done"));
  }
}

async function transfer(call) {
  const isDone = await formDialog({
    title: t("transfer.title"),
    text: t("transfer.text", { sides: sides(call) }),
    action: t("transfer.action"),
    fields: html`<${Field} label=${t("transfer.to")} hint=${t("transfer.hint")}>
      <input name="to" type="tel" maxlength="64" placeholder="+12015550123" /><//>`,
    act: ({ to }) => {
      const number = to.replace(/[\s()-]/g, "");
      return send("POST", `/calls/${encodeURIComponent(call.call_id)}/transfer/`,
        number ? { to: number } : {});
    },
  });
  if (isDone) {
    announce(t("transfer.done"));
  }
}

/* Buttons for those who may; nothing for others, or when the call is over. */
export function CallActions({ call }) {
  if (!may("call") || !RUNNING.has(call.status)) {
    return null;
  }
  return html`
    ${call.status === "in_progress" && html`<${Button} onClick=${() => transfer(call)}
      >${t("transfer.action")}…<//>`}
    <${Button} kind="danger" onClick=${() => hangUp(call)}>${t("hangup.action")}…<//>`;
}
