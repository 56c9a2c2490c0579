/* SPDX-License-Identifier: ISC */
/* A call's codes in sentences for people. What has no words here is shown as it is. */

const ENDS = {
  caller_hung_up: "The caller hung up.",
  agent_ended: "The agent said goodbye and hung up.",
  carrier: "The carrier ended the call.",
  silence: "The caller said nothing any more, also when asked.",
  max_duration: "The call reached the longest time allowed.",
  cost_limit: "The call reached the highest cost allowed.",
  transferred: "The caller was handed over to another number.",
  opt_out: "The caller asked not to be called any more.",
  media_lost: "The line went dead: no sound came any more.",
  media_refused: "The call's sound could not be connected.",
  no_media: "The call was answered, but its sound never came.",
  out_of_memory: "The server had no memory left.",
  abandoned: "The line was lost before the call could end properly.",
  stt_failed: "No provider could recognise speech any more.",
  llm_failed: "No provider could answer any more.",
  tts_failed: "No provider could speak any more.",
  hung_up: "Somebody hung up from this server.",
  hung_up_by_api: "A program hung up by the API.",
  hung_up_by_operator: "Somebody hung up, from these pages or with a command.",
  line_closed: "The line was closed.",
  line_lost: "The line was lost.",
  line_protocol: "The line sent what the server does not understand.",
  completed: "The agent had done what there was to do, and hung up.",
  not_understood: "The agent did not understand the caller, also when it asked again.",
  shutdown: "The server was stopped.",
  interrupted: "The server's process that had the call died.",
  idle: "Nobody wrote any more.",
  dial_failed: "The carrier could not place the call.",
  dial_refused: "The call was not placed: a rule forbade it.",
  canceled: "The call was called off before it was answered.",
};

const STATUSES = {
  queued: "The call waits for its turn to be dialled.",
  ringing: "It is ringing.",
  in_progress: "The call is going on.",
  busy: "The line was busy.",
  no_answer: "Nobody answered.",
  failed: "The call failed.",
  canceled: "The call was called off before it was answered.",
  completed: "The call is over.",
};

/* Why the call ended, in a sentence; what it is doing while it has not. */
export function endWords({ status, end_reason: reason }) {
  if (status === "busy" || status === "no_answer") {
    return STATUSES[status];
  }
  return ENDS[reason] ?? (reason ? `Reason: ${reason}.` : STATUSES[status] ?? status ?? "");
}

const ROLES = {
  stt: "speech recognition", llm: "language model", tts: "voice", telephony: "line",
};

export function roleWords(role) {
  return ROLES[role] ?? role;
}

const CATEGORIES = {
  auth: "the key was refused", permission: "the key may not do this",
  bad_request: "it refused the request", not_found: "it does not know what was asked for",
  quota: "the account has nothing left", rate_limit: "too many requests",
  concurrency: "too many connections at once", overloaded: "it was overloaded",
  timeout: "it took too long", network: "it could not be reached",
  protocol: "its answer could not be read", content_filter: "its filter refused the words",
  tool_format: "its tool call could not be read", cancelled: "it gave up",
  unsupported: "it can not do this", server: "it answered with an error",
  tls: "its certificate is not good", internal: "the plugin failed",
};

function failover({ role, from, to, category, http_status: http, code }) {
  const reasons = [CATEGORIES[category] ?? category, http ? `HTTP ${http}` : "", code];
  const why = reasons.filter(Boolean).join(", ");
  const what = ROLES[role] ?? role ?? "provider";
  const happened = !to ? `${from} failed and nothing was left to take over`
    : from ? `${to} took over from ${from}` : `${to} was chosen`;
  return `${happened} (${what})${why ? `: ${why}` : ""}.`;
}

function soundLost({ unheard_blocks: blocks, unsaid_ms: unsaid, lost_marks: marks }) {
  const lost = [
    blocks ? `${blocks} pieces of the caller's were not recognised` : "",
    unsaid ? `${unsaid} ms of the agent's were not played` : "",
    marks ? `${marks} receipts of the carrier did not come` : ""];
  return `Sound was lost: ${lost.filter(Boolean).join(", ")}.`;
}

const EVENTS = {
  created: () => "The call was placed or came in.",
  answered: () => "The call was answered.",
  ended: () => "The call ended.",
  failover,
  sound_lost: soundLost,
  no_provider_left: ({ role }) => ENDS[role] ?? "No provider was left.",
  disclosed: () => "The one called was told that this is an automated call.",
  opt_out: () => "The caller asked not to be called any more; the number was written down.",
  dtmf: ({ count }) => `The caller pressed ${count} ${Number(count) === 1 ? "key" : "keys"}.`,
  media_silent: ({ provider }) => `No sound came from the line (${provider}).`,
  tool: ({ name, ok, ms, late }) => `The agent used ${name}: ${ok ? "it worked" : "it failed"} after ${
    ms} ms${late ? ", too late for this answer" : ""}.`,
  low_confidence: ({ text }) =>
    `The words were too unsure to act on, so the agent asked again: “${text}”`,
  reprompt: ({ text }) => `The caller was silent, so the agent spoke: “${text}”`,
  goodbye: () => "The caller took leave, so the agent was told to say goodbye.",
  early_answer_dropped: () => "The caller went on, so an answer begun early was thrown away.",
  transfer: ({ to }) => `The caller was handed over to ${to}.`,
  transfer_failed: ({ to }) => `The caller could not be handed over to ${to}.`,
  dial_refused: ({ reason, why }) => `Not dialled: ${why || reason || "a rule forbade it"}`,
  context: () => "What is to be known of the caller was fetched.",
  context_failed: ({ reason }) =>
    `What is to be known of the caller could not be fetched${reason ? `: ${reason}` : ""}.`,
  interrupted: () => "The process that had the call died.",
  recording_stopped: ({ reason }) => `The recording ended before the call: ${reason}.`,
  recording_agreed: () => "The caller agreed to be recorded.",
  recording_declined: () => "The caller did not want to be recorded.",
  recording_paused: () => "The recording was paused.",
  recording_resumed: () => "The recording went on.",
};

/* An event in a sentence. */
export function eventWords({ type, detail }) {
  const say = EVENTS[type];
  const given = detail && typeof detail === "object" ? detail : {};
  return say ? say(given) : String(type).replaceAll("_", " ");
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

const UNITS = {
  requests: "requests", chars_in: "characters in", chars_billed: "characters billed",
  credits: "credits", tokens_in: "tokens in", tokens_in_cached: "of them cached",
  tokens_cache_write: "tokens written to the cache", tokens_out: "tokens out",
  tokens_reasoning: "of them reasoning", tokens_audio_in: "audio tokens in",
  tokens_audio_out: "audio tokens out",
};
const LENGTHS = { audio_in_us: "heard", audio_out_us: "spoken", connection_us: "connected" };

/* What was used, such as "3 requests, 120 tokens in". */
export function unitWords(units) {
  return Object.entries(units).map(([name, amount]) =>
    LENGTHS[name] ? `${(amount / 1e6).toFixed(1)} s ${LENGTHS[name]}`
      : `${Number(amount).toLocaleString("en")} ${UNITS[name] ?? name.replaceAll("_", " ")}`)
    .join(", ");
}

/* 75.4 as "1:15", what lies before the beginning as "before". */
export function clockWords(seconds) {
  if (seconds <= -1) {
    return "before";
  }
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  return whole < 3600 ? `${minutes}:${pad(whole % 60)}`
    : `${Math.floor(whole / 3600)}:${pad(minutes)}:${pad(whole % 60)}`;
}
