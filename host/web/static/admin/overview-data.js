/* SPDX-License-Identifier: ISC */
/* The overview's figures out of the server's statistics: data in, data out. Buckets are of UTC. */

const HOUR_S = 3600;
const DAY_S = 86400;

/* `slices`: in how many parts the latency is looked at. */
export const PERIODS = {
  "24h": { by: "hour", step_s: HOUR_S, buckets: 24, slices: 8 },
  "7d": { by: "day", step_s: DAY_S, buckets: 7, slices: 7 },
  "30d": { by: "day", step_s: DAY_S, buckets: 30, slices: 10 },
};

/* A period that ends now: its first and last bucket begin at whole hours or days. */
export function rangeOf(name, now_ms) {
  const { step_s, buckets, ...period } = PERIODS[Object.hasOwn(PERIODS, name) ? name : "24h"];
  const last_s = Math.floor(now_ms / 1000 / step_s) * step_s;
  return { ...period, step_s, buckets, since_s: last_s - (buckets - 1) * step_s,
    until_s: last_s + step_s };
}

export const timeOf = (seconds) => new Date(seconds * 1000).toISOString();

const FIELDS = ["calls", "inbound", "outbound", "answered", "completed", "busy", "no_answer",
  "failed", "canceled", "duration_s", "cost"];
const EMPTY = Object.fromEntries(FIELDS.map((field) => [field, 0]));

/* One row for each bucket, also where there were no calls. */
export function bucketsOf(rows, { since_s, step_s, buckets }) {
  const found = new Map(rows.map((row) => [Date.parse(row.at) / 1000, row]));
  return Array.from({ length: buckets }, (_, i) => {
    const at_s = since_s + i * step_s;
    const row = found.get(at_s) ?? {};
    return { at_s, ...Object.fromEntries(FIELDS.map((field) => [field, row[field] ?? 0])) };
  });
}

/* All of a period together. Rates are null where there is nothing to divide by. */
export function totalsOf(rows) {
  const sum = { ...EMPTY };
  for (const row of rows) {
    for (const field of FIELDS) {
      sum[field] += row[field] ?? 0;
    }
  }
  return {
    ...sum,
    cost: rows.some(({ cost }) => Number.isFinite(cost)) ? sum.cost : null,
    answerRate: sum.calls > 0 ? sum.answered / sum.calls : null,
    meanDuration_s: sum.answered > 0 ? sum.duration_s / sum.answered : null,
    failRate: sum.calls > 0 ? sum.failed / sum.calls : null,
  };
}

/* The parts of a period whose latency is asked for one by one. */
export function slicesOf({ since_s, until_s, slices }) {
  const length_s = (until_s - since_s) / slices;
  return Array.from({ length: slices }, (_, i) =>
    ({ since_s: since_s + i * length_s, until_s: since_s + (i + 1) * length_s }));
}

const STAGES = ["endpointing_ms", "stt_ms", "llm_ms", "tts_ms", "playout_ms", "response_ms"];

/* The stages that were measured, in order. */
export function stagesOf(latency) {
  return STAGES.map((stage) => latency.find((row) => row.stage === stage))
    .filter((row) => row?.count > 0);
}

/* How often each provider failed in each bucket: those that failed most, and the others together,
   who have no label. */
export function failoversOf(rows, { since_s, step_s, buckets }, most = 4) {
  const series = new Map();
  for (const { at, provider, failovers } of rows) {
    const values = series.get(provider) ?? new Array(buckets).fill(0);
    const place = Math.round((Date.parse(at) / 1000 - since_s) / step_s);
    if (place >= 0 && place < buckets) {
      values[place] += failovers;
    }
    series.set(provider, values);
  }
  const sum = (values) => values.reduce((all, value) => all + value, 0);
  const sorted = [...series].map(([label, values]) => ({ label, values, total: sum(values) }))
    .sort((a, b) => b.total - a.total || a.label.localeCompare(b.label));
  const others = sorted.splice(most);
  return others.length === 0 ? sorted : [...sorted, {
    label: "", total: others.reduce((all, { total }) => all + total, 0),
    values: others[0].values.map((_, i) => others.reduce((all, { values }) => all + values[i], 0)),
  }];
}

/* Worst first: what is broken now is what one came to see. */
export function providersOf({ providers = {} }, usage) {
  const order = { open: 0, half_open: 1 };
  return Object.entries(providers).map(([name, { state, plugin }]) => {
    const used = usage.filter(({ provider }) => provider === name);
    const priced = used.filter(({ cost }) => Number.isFinite(cost));
    return {
      name, state, plugin, roles: used.map(({ role }) => role),
      uses: used.reduce((sum, { rows }) => sum + rows, 0),
      cost: priced.length > 0 ? priced.reduce((sum, { cost }) => sum + cost, 0) : null,
    };
  }).sort((a, b) => (order[a.state] ?? 2) - (order[b.state] ?? 2) || a.name.localeCompare(b.name));
}
