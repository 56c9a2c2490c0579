/* SPDX-License-Identifier: ISC */
/* Light or dark: as the system has it, unless the reader chose. Plots listen for "themechange". */
import { signal } from "./html.js";

const system = matchMedia("(prefers-color-scheme: dark)");

/* "", "light" or "dark" */
export const choice = signal(localStorage.getItem("theme") ?? "");

function apply() {
  document.documentElement.dataset.theme = choice.value || (system.matches ? "dark" : "light");
  window.dispatchEvent(new Event("themechange"));
}

export function chooseTheme(name) {
  choice.value = name;
  localStorage.setItem("theme", name);
  apply();
}

system.addEventListener("change", apply);
apply();
