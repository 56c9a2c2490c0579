/* SPDX-License-Identifier: ISC */
/* Where one is: "#/calls/ID?status=failed" is the page "calls", its params ["ID"] and a query. */
import { signal } from "./html.js";

function read() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page, ...params] = path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { page: page ?? "", params, query: Object.fromEntries(new URLSearchParams(search)) };
}

export const route = signal(read());

window.addEventListener("hashchange", () => {
  const next = read();
  const before = route.value;
  if (next.page !== before.page || next.params.join() !== before.params.join()) {
    document.documentElement.dataset.moved = "yes";
  }
  route.value = next;
});

/* "#/calls?status=failed"; what is empty is left out. */
export function link(page, values = {}) {
  const pairs = Object.entries(values).filter(([, value]) => value);
  return `#/${page}${pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : ""}`;
}

/* `replace`: Back does not lead here. */
export function go(hash, { replace = false } = {}) {
  if (replace) {
    location.replace(hash);
  } else {
    location.hash = hash;
  }
}
