/* SPDX-License-Identifier: ISC */
/* What the pages say, in the reader's language. words.json holds every text, by language and name. */

const file = await fetch("/static/admin/words.json");
const all = await file.json();

export const languages = { en: "English", hi: "हिन्दी" };

function preferred() {
  const wish = localStorage.getItem("language") ?? navigator.language.slice(0, 2);
  return wish in languages ? wish : "en";
}

export const language = preferred();
document.documentElement.lang = language;

export function chooseLanguage(name) {
  localStorage.setItem("language", name);
  location.reload();
}

/* Whether there is such a text. */
export const has = (name) => name in all.en;

/* The text of that name; {word} in it is replaced by values.word. */
export function t(name, values = {}) {
  const text = all[language][name] ?? all.en[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, word) => values[word] ?? whole);
}

/* A word of the server, such as a status, in the reader's language; unknown ones as they are. */
export function word(kind, value) {
  const name = `${kind}.${value}`;
  return has(name) ? t(name) : String(value ?? "").replaceAll("_", " ");
}
