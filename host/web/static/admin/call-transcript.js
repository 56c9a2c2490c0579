/* SPDX-License-Identifier: ISC */
/* The conversation of a call; a line that is chosen is played, and what is played is marked. */
import { lineAt } from "./call-record.js";
import { clockWords } from "./call-words.js";
import { html, useEffect, useMemo, useRef } from "./html.js";
import { t } from "./words.js";

function Words({ line }) {
  const { who, text, unheard, isInterrupted, tools, name } = line;
  return html`<div class="said">
    <span class="who">${t(`one.${who}`)}${who === "tool" && name && html` <code>${name}</code>`}</span>
    <span class="text">${text && html`<span class="heard">${text}</span>`}${
      unheard.trim() && html`<s class="unheard"><span class="unseen"> ${t("one.not_heard")} </span>${
        unheard}</s>`}</span>
    ${tools.map((tool) => html`<code class="tool-call">${tool.name}(${tool.arguments})</code>`)}
    ${isInterrupted && html`<span class="chip warn">${unheard.trim()
      ? t("one.cut_unheard") : t("one.cut")}</span>`}
  </div>`;
}

function Line({ line, index }) {
  return html`<li class="spoken ${line.who}" data-line=${index} data-turn=${line.turn}>
    <button type="button" class="line-time number">
      <span class="unseen">${t("one.play_from")} </span>${clockWords(line.from_s)}</button>
    <${Words} line=${line} />
  </li>`;
}

/* Moves the list alone; the page stays where it is. */
function showIn(list, item) {
  const above = item.offsetTop - list.offsetTop;
  const isSeen = above >= list.scrollTop &&
    above + item.offsetHeight <= list.scrollTop + list.clientHeight;
  if (!isSeen) {
    list.scrollTop = above - list.clientHeight / 3;
  }
}

/* Marks the line that is played; whoever plays nothing has no line marked. */
function useMark(list, lines, at) {
  useEffect(() => at.subscribe((at_s) => {
    const index = at_s > 0 ? lineAt(lines, at_s) : -1;
    const before = list.current.querySelector('[aria-current="true"]');
    const item = index < 0 ? null : list.current.children[index];
    if (item !== before) {
      before?.removeAttribute("aria-current");
      item?.setAttribute("aria-current", "true");
      if (item) {
        showIn(list.current, item);
      }
    }
  }), [lines]);
}

/* Who reads the end of the list goes on doing so when it grows. */
function useEnd(list, isLive, count, partial) {
  const wasAtEnd = useRef(true);
  useEffect(() => {
    if (isLive && wasAtEnd.current) {
      list.current.scrollTop = list.current.scrollHeight;
    }
  }, [count, partial]);
  return ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
    wasAtEnd.current = scrollHeight - scrollTop - clientHeight < 80;
  };
}

/* `at`: a signal, the moment that is heard. `onSeek(seconds)` is told of a chosen line's. */
export function Transcript({ lines, partial, isLive, at, onSeek }) {
  const list = useRef();
  useMark(list, lines, at);
  const scrolled = useEnd(list, isLive, lines.length, partial?.text);
  const choose = ({ target }) => {
    const item = target.closest("[data-line]");
    if (item && (target.closest("button") || getSelection().isCollapsed)) {
      onSeek(lines[Number(item.dataset.line)].from_s);
    }
  };
  const move = (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const button = step && event.target.closest("[data-line]")?.[step]?.querySelector(".line-time");
    if (button) {
      event.preventDefault();
      button.focus();
    }
  };
  const items = useMemo(() => lines.map((line, index) =>
    html`<${Line} key=${line.id} line=${line} index=${index} />`), [lines]);
  return html`<ol class="spoken-list" ref=${list} tabindex="0" aria-label=${t("one.said")}
      onClick=${choose} onKeyDown=${move} onScroll=${scrolled}>
    ${items}
    ${partial?.text && html`<li class="spoken partial ${partial.role === "assistant" ? "agent"
      : "caller"}"><span class="line-time"></span><div class="said">
        <span class="who">${t(partial.role === "assistant" ? "one.agent" : "one.caller")}</span>
        <span class="text">${partial.text}</span></div></li>`}
    ${lines.length === 0 && !partial?.text && html`<li class="muted">${t("one.silent")}</li>`}
  </ol>`;
}
