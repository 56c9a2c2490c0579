/* SPDX-License-Identifier: ISC */
/* A conversation as a list of turns: the caller's words, the agent's answer, and its timing. */
import { element } from "./page.js";

/*
 * Splits what was generated into what was heard of it and the rest. Spaces may differ between the
 * two; where the words differ, nothing more counts as heard.
 */
export function splitHeard(text, heard) {
  let at = 0;
  let end = 0;
  const isSpace = (character) => /\s/.test(character);
  for (const character of heard.replace(/\s+/g, "")) {
    while (at < text.length && isSpace(text[at])) {
      at++;
    }
    if (!text.startsWith(character, at)) {
      break;
    }
    at += character.length;
    end = at;
  }
  return [text.slice(0, end), text.slice(end)];
}

/* One after the other. Recognition goes on during the wait for the end of speech, so that it has no
   stage of its own. */
const STAGES = [
  ["endpointing_ms", "end of speech", "stt"],
  ["llm_ms", "answer", "llm"],
  ["tts_ms", "voice", "tts"],
];

/* The stages of a turn that were measured: name, milliseconds, provider, colour. */
export function stagesOf(latency = {}, providers = {}) {
  return STAGES.map(([field, name, role], i) => ({
    name,
    ms: latency[field],
    provider: providers[role],
    colour: `var(--stage-${i + 1})`,
  })).filter(({ ms }) => Number.isFinite(ms) && ms >= 0);
}

export function formatMs(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

export class Transcript {
  /* `list` is the element that takes the turns; `announce` speaks what is new and final. */
  constructor(list, announce = () => {}) {
    this.list = list;
    this.announce = announce;
    this.turns = new Map();
  }

  clear() {
    this.turns.clear();
    this.list.replaceChildren();
  }

  turn(number) {
    let turn = this.turns.get(number);
    if (!turn) {
      turn = { item: element("li", { class: "turn" }), text: "", heard: null };
      turn.item.dataset.turn = number;
      this.turns.set(number, turn);
      this.list.append(turn.item);
    }
    return turn;
  }

  /* The bubble of a speaker in a turn; the caller's stands first. */
  bubble(turn, who) {
    if (!turn[who]) {
      const body = element("span", { class: "text" });
      const bubble = element("div", { class: `bubble ${who}` },
        element("span", { class: "who" }, who === "user" ? "You" : "Agent"), body);
      turn[who] = { bubble, body };
      if (who === "user") {
        turn.item.prepend(bubble);
      } else if (turn.timing) {
        turn.timing.before(bubble);
      } else {
        turn.item.append(bubble);
      }
    }
    return turn[who];
  }

  /* Changes the list; follows its end where the reader is there. */
  change(edit) {
    const { list } = this;
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    edit();
    if (isAtEnd) {
      this.showEnd();
    }
  }

  showEnd() {
    this.list.scrollTop = this.list.scrollHeight;
  }

  said(number, text, isFinal) {
    this.change(() => {
      const { bubble, body } = this.bubble(this.turn(number), "user");
      body.textContent = text;
      bubble.classList.toggle("partial", !isFinal);
    });
    if (isFinal) {
      this.announce(`You: ${text}`);
    }
  }

  replied(number, text) {
    const turn = this.turn(number);
    turn.text = text;
    this.showReply(turn);
  }

  heard(number, text, isInterrupted) {
    const turn = this.turn(number);
    turn.heard = text;
    turn.isInterrupted = isInterrupted;
    turn.text = turn.text || text;
    this.showReply(turn);
    this.announce(`Agent: ${text}`);
  }

  showReply(turn) {
    this.change(() => {
      const { bubble, body } = this.bubble(turn, "agent");
      const [heard, rest] = splitHeard(turn.text, turn.heard ?? "");
      const isOver = turn.heard !== null && turn.isInterrupted;
      const tail = element("span", { class: isOver ? "unheard" : "ahead" }, rest);
      body.replaceChildren(element("span", { class: "heard" }, heard));
      if (rest) {
        body.append(tail);
      }
      bubble.querySelector(".chip")?.remove();
      if (turn.isInterrupted) {
        bubble.append(element("br"), element("span", { class: "chip warn" },
          rest.trim() ? "interrupted; the rest was not heard" : "interrupted"));
      }
    });
  }

  timed(number, latency, providers) {
    const turn = this.turn(number);
    const stages = stagesOf(latency, providers);
    const bar = element("span", { class: "stages", "aria-hidden": "true" });
    for (const { ms, colour } of stages) {
      const part = element("span");
      part.style.flexGrow = Math.max(ms, 1);
      part.style.background = colour;
      bar.append(part);
    }
    const timing = element("div", { class: "timing" });
    if (Number.isFinite(latency?.response_ms)) {
      timing.append(element("span", {}, "answered after ",
        element("strong", {}, formatMs(latency.response_ms))));
    }
    if (stages.length > 0) {
      timing.append(bar);
    }
    for (const { name, ms, provider, colour } of stages) {
      const part = element("span", { class: "part" }, `${name} ${formatMs(ms)}`);
      part.style.setProperty("--stage", colour);
      if (provider) {
        part.append(` (${provider})`);
      }
      timing.append(part);
    }
    this.change(() => {
      turn.timing?.remove();
      turn.timing = timing;
      turn.item.append(timing);
    });
  }
}
