// What one page gets from a call: the sentence, what its script sees, the diagram, the console.

import { explain, ServerGoneError } from "./api.js";
import { buildDiagram } from "./diagram.js";
import { build, buildClauseLink } from "./dom.js";
import { buildFix } from "./fix.js";
import { BADGES, describeOutcome, hasReachedApplication } from "./outcome.js";

/** Return the engine of this browser, by the part of its User-Agent that only this engine has. */
function detectEngine() {
  if (/Firefox\//.test(navigator.userAgent)) return "firefox";
  return /Chrom(e|ium)\//.test(navigator.userAgent) ? "chromium" : "webkit";
}

export class CallerPanel {
  #content = build("div", { className: "panel-content" });
  #badge = build("span", { className: "panel-badge" });
  #drawn = 0;

  /** `fix`: { getInForce, onApply }, for the page whose calls are to be allowed; else null. */
  constructor({ call, api, page, title, origin, fix }) {
    this.call = call;
    this.api = api;
    this.origin = origin;
    this.fix = fix;
    const head = build("h3", {}, title, " ", build("code", {}, origin));
    const header = build("header", { className: "panel-head" }, head, this.#badge);
    this.element = build("section", { className: "panel", data: { page } }, header, this.#content);
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
    this.#badge.textContent = BADGES[outcome.verdict];
    this.#content.replaceChildren(...this.#build(outcome, explanation));
  }

  #build(outcome, explanation) {
    const why = build("p", { className: "why" }, describeOutcome(outcome));
    const facts = buildFacts(outcome, explanation);
    if (!explanation) return [why, facts];
    const isBlocked = outcome.verdict === "blocked";
    const { steps, console: message } = explanation;
    return [
      why,
      facts,
      isBlocked && (this.fix ? this.#buildFix(explanation) : buildAdvice(outcome)),
      buildDiagram({ page: this.origin, server: this.api, steps, exchanges: outcome.exchanges }),
      isBlocked && message && buildConsole(message),
    ].filter(Boolean);
  }

  #buildFix(explanation) {
    const { getInForce, onApply } = this.fix;
    return buildFix(explanation, getInForce(), onApply);
  }
}

function buildFacts(outcome, explanation) {
  const decision = outcome.exchanges.at(-1);
  const row = (term, ...content) => [build("dt", {}, term), build("dd", {}, ...content)];
  const rows = [row("Script gets", build("code", {}, outcome.seen))];
  if (decision) {
    const detail = decision.detail ? ` ${decision.detail}` : "";
    rows.push(row("Decision", build("code", {}, decision.reason), detail));
  }
  if (outcome.verdict === "blocked" && explanation?.clause) {
    rows.push(row("Blocked by", buildClauseLink(explanation.clause, explanation.address)));
  }
  return build("dl", { className: "facts" }, ...rows.flat());
}

/** Return what to do about a call of the untrusted page that the browser blocks. */
function buildAdvice(outcome) {
  const isSafe = ({ method }) => ["GET", "HEAD", "OPTIONS"].includes(method);
  const text =
    hasReachedApplication(outcome) && !outcome.exchanges.every(isSafe)
      ? "The block comes too late: the application has done the work. " +
        "With enforce, corsguard refuses such requests."
      : "Nothing to fix: the policy does not list this origin.";
  return build("p", { className: "no-fix" }, text);
}

function buildConsole(text) {
  return build(
    "figure",
    { className: "console" },
    build("figcaption", {}, "In the console, as Chromium prints it"),
    build("pre", { tabIndex: 0 }, text),
  );
}
