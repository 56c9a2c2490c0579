/* SPDX-License-Identifier: ISC */
/* The parts that all pages are made of. Texts are only ever texts. */
import { html, h, render, useEffect, useRef, useState } from "./html.js";
import { formatAgo, formatFull, formatWhen } from "./format.js";
import { link } from "./router.js";
import { t, word } from "./words.js";

/* Tells a screen reader. */
export function announce(text) {
  const place = document.getElementById("said");
  place.textContent = "";
  setTimeout(() => {
    place.textContent = text;
  }, 50);
}

/* A page's frame. Focus goes to its heading when one comes from another page. */
export function Page({ title, actions, children, wide }) {
  const heading = useRef();
  useEffect(() => {
    document.title = `${title} · aicaller`;
  }, [title]);
  useEffect(() => {
    if (document.documentElement.dataset.moved) {
      heading.current.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  }, []);
  return html`<div class=${wide ? "page wide" : "page"}>
    <header class="page-head">
      <h1 ref=${heading} tabindex="-1">${title}</h1>
      ${actions && html`<div class="row">${actions}</div>`}
    </header>
    ${children}
  </div>`;
}

/*
 * Loads data when shown and when `deps` change; the last good data stay while the next come.
 * `load(signal)` returns a promise.
 */
export function useData(load, deps = []) {
  const [state, setState] = useState({ loading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    load(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, loading: false }),
      (error) => abort.signal.aborted || setState(({ data }) => ({ data, error, loading: false })));
    return () => abort.abort();
  }, [...deps, turn]);
  return { ...state, reload: () => setTurn((count) => count + 1) };
}

/* What useData returned: the data, or that they are on their way, or why there are none. */
export function Loaded({ of, children }) {
  return html`${of.error && html`<${ErrorNote} error=${of.error} retry=${of.reload} />`}
    ${of.data !== undefined && html`<div aria-busy=${of.loading ? "true" : "false"}>
      ${children(of.data)}</div>`}
    ${of.data === undefined && !of.error && html`<p class="muted waiting">${t("ui.loading")}</p>`}`;
}

export function ErrorNote({ error, retry }) {
  return error && html`<div class="note bad" role="alert">
    <p>${error.message}</p>
    ${retry && html`<${Button} onClick=${retry}>${t("ui.again")}<//>`}
  </div>`;
}

export function Note({ kind = "info", children }) {
  return html`<div class="note ${kind}">${children}</div>`;
}

/* What to do where there is nothing yet. */
export function Empty({ title, children }) {
  return html`<div class="empty"><p class="title">${title}</p>${children}</div>`;
}

/* kind: good, warn, bad, info, plain, live */
export function Chip({ kind = "plain", title, children }) {
  return html`<span class="chip ${kind}" title=${title}>${children}</span>`;
}

const STATUS_KINDS = {
  queued: "plain", ringing: "info", in_progress: "live", completed: "good", busy: "warn",
  no_answer: "warn", failed: "bad", canceled: "plain",
};

export function Status({ call }) {
  return html`<${Chip} kind=${STATUS_KINDS[call.status] ?? "plain"}>${word("status", call.status)}<//>`;
}

/* Relative times are on the title, so that columns stay aligned. */
export function When({ value }) {
  return value ? html`<time datetime=${value} title="${formatFull(value)} (${formatAgo(value)})"
    >${formatWhen(value)}</time>` : "–";
}

/* kind: primary, danger, quiet. While its work runs it is busy and takes no second click; when the
 * work fails, a dialog says why. */
export function Button({ kind = "", type = "button", onClick, disabled, children, ...rest }) {
  const [busy, setBusy] = useState(false);
  const isThere = useRef(true);
  useEffect(() => () => {
    isThere.current = false;
  }, []);
  const click = async (event) => {
    const work = onClick?.(event);
    if (work instanceof Promise) {
      setBusy(true);
      await work.catch((error) => openDialog(t("ui.failed"), ({ close }) => html`<div class="stack">
        <p>${error.message}</p><div class="row end"><button class="button" type="button"
          onClick=${() => close()}>${t("ui.close")}</button></div></div>`));
      if (isThere.current) {
        setBusy(false);
      }
    }
  };
  return html`<button class="button ${kind}" type=${type} disabled=${disabled || busy}
    onClick=${click} ...${rest}>${children}</button>`;
}

export function Field({ label, hint, error, children }) {
  return html`<label class="field"><span>${label}</span>${children}
    ${hint && html`<small class="muted">${hint}</small>`}
    ${error && html`<small class="bad-text" role="alert">${error}</small>`}</label>`;
}

export function Card({ title, actions, children, flush }) {
  return html`<section class=${flush ? "card flush" : "card"} aria-label=${title}>
    ${(title || actions) && html`<header class="card-head">
      <h2>${title}</h2>${actions && html`<div class="row">${actions}</div>`}</header>`}
    ${children}
  </section>`;
}

/* tabs: [{id, label}] */
export function Tabs({ label, tabs, value, onChange, children }) {
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const at = tabs.findIndex(({ id }) => id === value);
      const next = tabs[(at + step + tabs.length) % tabs.length];
      onChange(next.id);
      event.currentTarget.querySelector(`[data-tab="${next.id}"]`).focus();
    }
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
      ${tabs.map(({ id, label: text }) => html`<button role="tab" type="button" id="tab-${id}"
        data-tab=${id} aria-selected=${id === value ? "true" : "false"} aria-controls="panel-${id}"
        tabindex=${id === value ? 0 : -1} onClick=${() => onChange(id)}>${text}</button>`)}
    </div>
    <div role="tabpanel" id="panel-${value}" aria-labelledby="tab-${value}" tabindex="0">
      ${children}</div>`;
}

/* A wide table that scrolls by itself, so that the page never does. Reachable by keyboard. */
export function Table({ label, head, children, stack }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
    <table class=${stack ? "rows" : ""}>
      <thead><tr>${head.map((name) => html`<th scope="col" class=${name.number ? "number" : ""}
        >${name.label ?? name}</th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table></div>`;
}

/* Under a list that goes on: its beginning, and what follows. */
export function More({ page, after, next }) {
  return (after || next) && html`<footer class="card-foot row end">
    ${after && html`<a class="button" href=${link(page)}>${t("calls.first")}</a>`}
    ${next && html`<a class="button" href=${link(page, { after: next })}>${t("calls.next")}</a>`}
  </footer>`;
}

/* Copies a text; says so. */
export function CopyButton({ text }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    announce(t("ui.copied"));
  };
  return html`<${Button} onClick=${copy}>${done ? t("ui.copied") : t("ui.copy")}<//>`;
}

/*
 * Opens a dialog and resolves when it is closed. `Body({close})` shows its inside; what it gives to
 * close() is the result, undefined when the dialog was left.
 */
export function openDialog(title, Body) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "dialog-title");
  document.body.append(dialog);
  let result;
  const close = (value) => {
    result = value;
    dialog.close();
  };
  render(html`<h2 id="dialog-title">${title}</h2>${h(Body, { close })}`, dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      render(null, dialog);
      dialog.remove();
      resolve(result);
    });
  });
}

/* A dialog with one form. `act(values)` does the work; its error is shown and the form stays. */
export function formDialog({ title, action, kind = "primary", fields, text, act }) {
  function Form({ close }) {
    const [error, setError] = useState(null);
    const [busy, setBusy] = useState(false);
    const submit = async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(event.target));
      setBusy(true);
      try {
        close((await act(values, event.target)) ?? true);
      } catch (failure) {
        setError(failure);
        setBusy(false);
      }
    };
    return html`<form class="stack" onSubmit=${submit}>
      ${text && html`<p>${text}</p>`}
      ${fields}
      <${ErrorNote} error=${error} />
      <div class="row end">
        <${Button} onClick=${() => close()}>${t("ui.cancel")}<//>
        <${Button} kind=${kind} type="submit" disabled=${busy}>${action}<//>
      </div>
    </form>`;
  }
  return openDialog(title, Form);
}

/* Asks before something that can not be undone. Resolves to true when it is to be done. */
export function confirmDialog({ title, text, action, kind = "danger" }) {
  return openDialog(title, ({ close }) => html`<div class="stack">
    <p>${text}</p>
    <div class="row end">
      <${Button} onClick=${() => close(false)}>${t("ui.cancel")}<//>
      <${Button} kind=${kind} onClick=${() => close(true)}>${action}<//>
    </div></div>`).then(Boolean);
}

/* A style sheet of one page; resolves never, browsers load it once. */
export function useStyle(path) {
  useEffect(() => {
    if (!document.querySelector(`link[href="${path}"]`)) {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = path;
      document.head.append(link);
    }
  }, [path]);
}
