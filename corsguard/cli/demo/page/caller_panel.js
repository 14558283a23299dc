// What one page gets from a call: the sentence, what its script sees, the diagram, the console.

import { explain, ServerGoneError } from "./api.js";
import { buildDiagram } from "./diagram.js";
import { build, buildLink } from "./dom.js";
import { buildFix } from "./fix.js";
import { BADGES, describeOutcome } from "./outcome.js";

/** Return the engine of this browser, by the part of its User-Agent that only this engine has. */
function detectEngine() {
  if (/Firefox\//.test(navigator.userAgent)) return "firefox";
  return /Chrom(e|ium)\//.test(navigator.userAgent) ? "chromium" : "webkit";
}

export class CallerPanel {
  #content = build("div", { className: "panel-content" });
  #title = build("span", { className: "panel-badge" });
  #drawn = 0;

  /** `fix`: { getInForce, onApply }, for the page whose calls are to be allowed; else null. */
  constructor({ call, api, title, origin, fix }) {
    this.call = call;
    this.api = api;
    this.origin = origin;
    this.fix = fix;
    const head = build("h3", {}, title, " ", build("code", {}, origin));
    const header = build("header", { className: "panel-head" }, head, this.#title);
    this.element = build("section", { className: "panel", aria: { label: `From ${title}` } }, header, this.#content);
  }

  /** Ask for the explanation of an outcome, and show both. */
  async draw(outcome, credentials) {
    const turn = ++this.#drawn;
    const { method, path, headers } = this.call;
    const question = { page: this.origin, url: this.api + path, method, headers, credentials };
    const explanation = await explain({ ...question, engine: detectEngine() }).catch((error) => {
      if (!(error instanceof ServerGoneError)) console.error(error);
      return null;
    });
    if (turn !== this.#drawn) return; // a newer outcome is being drawn
    this.element.dataset.verdict = outcome.verdict;
    this.#title.textContent = BADGES[outcome.verdict];
    this.#content.replaceChildren(...this.#build(outcome, explanation));
  }

  #build(outcome, explanation) {
    const seen = build("p", { className: "seen" }, "The script gets ", build("code", {}, outcome.seen));
    const why = build("p", { className: "why" }, describeOutcome(this.call, outcome));
    if (!explanation) return [why, seen];
    const diagram = buildDiagram({
      page: this.origin,
      server: this.api,
      steps: explanation.steps,
      exchanges: outcome.exchanges,
    });
    const isBlocked = outcome.verdict === "blocked";
    return [
      why,
      seen,
      isBlocked && this.#buildFix(explanation),
      diagram,
      isBlocked && explanation.console && buildConsole(explanation.console),
      isBlocked && explanation.reason && buildReason(explanation),
    ].filter(Boolean);
  }

  #buildFix(explanation) {
    if (this.fix) return buildFix(explanation.fixes, this.fix.getInForce(), this.fix.onApply);
    return build("p", { className: "no-fix" }, "This block is what the policy is for, so there is nothing to fix.");
  }
}

function buildConsole(text) {
  return build(
    "figure",
    { className: "console" },
    build("figcaption", {}, "In the console, as Chromium prints it"),
    build("pre", { tabIndex: 0 }, text),
  );
}

function buildReason({ reason, clause, address }) {
  return build(
    "p",
    { className: "reason" },
    build("code", {}, reason),
    " ",
    buildLink(address, clause),
  );
}
