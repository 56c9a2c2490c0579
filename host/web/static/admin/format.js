/* SPDX-License-Identifier: ISC */
/* Values as people read them. What is absent is a dash. */
import { language } from "./words.js";

export const NONE = "–";
/* Times are those of the reader's clock; the day comes in the order of their language. */
const locale = language === "en" ? navigator.language.startsWith("en") ? navigator.language : "en-GB"
  : "hi-IN-u-nu-latn";
const clock = new Intl.DateTimeFormat(locale, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
});
const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const number = new Intl.NumberFormat(locale);
const money = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 4 });
const near = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

const isTime = (text) => Boolean(text) && !Number.isNaN(Date.parse(text));

export const formatTime = (text) => isTime(text) ? clock.format(new Date(text)) : NONE;
export const formatFull = (text) => isTime(text) ? full.format(new Date(text)) : NONE;

/* "14:03:22" of today, "21 Nov, 14:03:22" of another day, with the year of another year. */
export function formatWhen(text) {
  if (!isTime(text)) {
    return NONE;
  }
  const time = new Date(text);
  const now = new Date();
  if (time.toDateString() === now.toDateString()) {
    return clock.format(time);
  }
  return time.getFullYear() === now.getFullYear() ? `${day.format(time)}, ${clock.format(time)}`
    : full.format(time);
}

/* "3 minutes ago" */
export function formatAgo(text) {
  if (!isTime(text)) {
    return NONE;
  }
  const seconds = (Date.parse(text) - Date.now()) / 1000;
  const [unit, length] = [["day", 86400], ["hour", 3600], ["minute", 60]]
    .find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return near.format(Math.round(seconds / length), unit);
}

const two = (value) => String(value).padStart(2, "0");

/* Seconds as "0:07", "12:34", "1:02:03". */
export function formatDuration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(Number(seconds))) {
    return NONE;
  }
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}

/* "340 ms", "1.2 s" */
export function formatMs(ms) {
  if (ms === null || ms === undefined) {
    return NONE;
  }
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/* In the currency of the operator's price list, which the server does not name. */
export function formatMoney(value) {
  if (value === null || value === undefined) {
    return NONE;
  }
  return money.format(value);
}

export const formatNumber = (value) =>
  value === null || value === undefined ? NONE : number.format(value);

/* A telephone number in groups; what is masked or no number stays as it is. */
export const formatPhone = (text) => text || NONE;
