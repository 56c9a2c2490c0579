/* SPDX-License-Identifier: ISC */
/* Loads a module of the pages, with those it imports, whatever node thinks of its folder. */
import { readFileSync } from "node:fs";

const STATIC = new URL("../../host/web/static/", import.meta.url);

/* What words.js needs of a browser. */
globalThis.fetch = async (path) => ({
  json: async () => JSON.parse(readFileSync(new URL(path.replace("/static/", ""), STATIC), "utf8")),
});
globalThis.localStorage = { getItem: () => "en" };
globalThis.document = { documentElement: {} };

function asData(url) {
  const source = readFileSync(url, "utf8").replace(/from "(\.[^"]+)"/g,
    (_, path) => `from "${asData(new URL(path, url))}"`);
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

export function load(path) {
  return import(asData(new URL(path, STATIC)));
}
