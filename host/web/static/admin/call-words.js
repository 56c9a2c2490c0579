/* SPDX-License-Identifier: ISC */
/* A call's codes in sentences for people. What has no words here is shown as it is. */
import { has, t } from "./words.js";

const known = (kind, code) => (has(`${kind}.${code}`) ? t(`${kind}.${code}`) : undefined);

/* Why the call ended, in a sentence; what it is doing while it has not. */
export function endWords({ status, end_reason: reason }) {
  if (status === "busy" || status === "no_answer") {
    return t(`now.${status}`);
  }
  return reason ? known("end", reason) ?? t("end.other", { reason })
    : known("now", status) ?? status ?? "";
}

export const roleWords = (role) => known("part", role) ?? role;

function failover({ role, from, to, category, http_status: http, code }) {
  const reasons = [known("cause", category) ?? category, http ? `HTTP ${http}` : "", code];
  const why = reasons.filter(Boolean).join(", ");
  const kind = !to ? "event.none_left" : from ? "event.took_over" : "event.chosen";
  const happened = t(kind, { from, to, what: roleWords(role) ?? "" });
  return why ? `${happened}: ${why}.` : `${happened}.`;
}

function soundLost({ unheard_blocks: blocks, unsaid_ms: ms, lost_marks: marks }) {
  const lost = [["event.lost_blocks", blocks], ["event.lost_ms", ms], ["event.lost_marks", marks]];
  const what = lost.filter(([, count]) => count > 0).map(([name, count]) => t(name, { count }));
  return t("event.lost", { what: what.join(", ") });
}

function tool({ name, ok, ms, late }) {
  const used = t(ok ? "event.tool_good" : "event.tool_bad", { name, ms });
  return late ? `${used} ${t("event.tool_late")}` : used;
}

const SPECIAL = {
  failover,
  tool,
  sound_lost: soundLost,
  no_provider_left: ({ role }) => known("end", role) ?? t("event.no_provider_left"),
  dial_refused: ({ reason, why }) => t("event.dial_refused", { why: why || reason || "" }),
};

/* An event in a sentence. */
export function eventWords({ type, detail }) {
  const given = detail && typeof detail === "object" ? detail : {};
  if (Object.hasOwn(SPECIAL, type)) {
    return SPECIAL[type](given);
  }
  return has(`event.${type}`) ? t(`event.${type}`, given) : String(type).replaceAll("_", " ");
}

const BAD = new Set(["no_provider_left", "sound_lost", "media_silent", "transfer_failed",
  "dial_refused", "interrupted", "context_failed", "recording_stopped"]);
const WORTH_A_LOOK = new Set(["failover", "low_confidence", "reprompt", "early_answer_dropped",
  "opt_out"]);

/* "bad", "warn" or "plain". */
export function eventKind({ type, detail }) {
  return BAD.has(type) || (type === "tool" && detail?.ok === false) ? "bad"
    : WORTH_A_LOOK.has(type) ? "warn" : "plain";
}

/* What was used, such as "3 requests, 120 tokens in". */
export function unitWords(units) {
  return Object.entries(units).map(([name, amount]) => {
    const count = name.endsWith("_us") ? (amount / 1e6).toFixed(1)
      : Number(amount).toLocaleString("en");
    return has(`unit.${name}`) ? t(`unit.${name}`, { count })
      : `${count} ${name.replaceAll("_", " ")}`;
  }).join(", ");
}

/* 75.4 as "1:15", what lies before the beginning as "before". */
export function clockWords(seconds) {
  if (seconds <= -1) {
    return t("one.before");
  }
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  return whole < 3600 ? `${minutes}:${pad(whole % 60)}`
    : `${Math.floor(whole / 3600)}:${pad(minutes)}:${pad(whole % 60)}`;
}
