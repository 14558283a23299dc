// One call as a row: the verdict for each page, and behind it the details of both.

import { CallerPanel } from "./caller_panel.js";
import { build, find } from "./dom.js";
import { writeFetch } from "./fetch_code.js";
import { BADGES, describeReach } from "./outcome.js";

const SECONDS_COPIED = 2;

export class CallRow {
  #outcomes = {}; // page -> the outcome of its last call
  #cells = {}; // page -> the verdict in the summary
  #panels = {}; // page -> CallerPanel
  #code = build("pre", { className: "code", tabIndex: 0 });
  #details = build("details", {});
  #credentials;

  /** `pages` is page -> { title, origin, fix }: the options of each CallerPanel. */
  constructor(call, { api, pages }) {
    this.call = call;
    this.api = api;
    for (const [page, options] of Object.entries(pages)) {
      this.#cells[page] = buildCell(page, options.title);
      this.#panels[page] = new CallerPanel({ ...options, page, call, api });
    }
    this.#details.append(this.#buildSummary(), this.#buildBody());
    this.#details.addEventListener("toggle", () => this.#drawPanels());
    this.element = build("li", { className: "row", data: { call: call.name } }, this.#details);
  }

  get verdict() {
    return this.#outcomes.frontend?.verdict;
  }

  get outcomes() {
    return this.#outcomes;
  }

  open() {
    this.#details.open = true;
  }

  /** Move the focus to the row itself. */
  focus() {
    this.#details.querySelector("summary").focus();
  }

  /** Show that the call is being made. The last verdict stays until there is another. */
  start(credentials) {
    this.#credentials = credentials;
    this.#code.textContent = writeFetch(this.call, this.api, credentials);
    this.element.dataset.state = "running";
  }

  showPart(text) {
    this.#cells.frontend.querySelector(".reach").textContent = text;
  }

  /** Show the outcome of the call from one of the pages. */
  finish(page, outcome) {
    const { text, level } = describeReach(outcome);
    const cell = this.#cells[page];
    this.#outcomes[page] = outcome;
    cell.dataset.verdict = outcome.verdict;
    cell.querySelector(".badge").textContent = BADGES[outcome.verdict];
    cell.querySelector(".reach").textContent = text;
    cell.querySelector(".reach").dataset.level = level;
  }

  /** Show that both pages have an outcome. */
  async settle() {
    delete this.element.dataset.state;
    await this.#drawPanels();
  }

  /** Explain the outcomes, if the row is open. */
  async #drawPanels() {
    if (!this.#details.open) return;
    const drawings = Object.entries(this.#outcomes).map(([page, outcome]) =>
      this.#panels[page].draw(outcome, this.#credentials),
    );
    await Promise.all(drawings);
  }

  #buildSummary() {
    const { method, title, path } = this.call;
    return build(
      "summary",
      { className: "row-head" },
      build("code", { className: "request" }, build("b", {}, method), ` ${path}`),
      build("span", { className: "title" }, title),
      ...Object.values(this.#cells),
    );
  }

  #buildBody() {
    const panels = Object.values(this.#panels).map((panel) => panel.element);
    const copy = build("button", { type: "button", className: "copy secondary" }, "Copy");
    copy.addEventListener("click", () => this.#copy(copy));
    return build(
      "div",
      { className: "row-body" },
      build("p", { className: "lesson" }, this.call.lesson),
      build("div", { className: "code-box" }, this.#code, copy),
      build("div", { className: "panels" }, ...panels),
    );
  }

  async #copy(button) {
    try {
      await navigator.clipboard.writeText(this.#code.textContent);
      button.textContent = "Copied";
      find("copy-status").textContent = `Copied the code of ${this.call.method} ${this.call.path}`;
    } catch {
      // Without the permission the code is selected, for Ctrl-C.
      getSelection().selectAllChildren(this.#code);
      button.textContent = "Selected";
      find("copy-status").textContent = "The code is selected: copy it with the keyboard";
    }
    setTimeout(() => {
      button.textContent = "Copy";
      find("copy-status").textContent = "";
    }, SECONDS_COPIED * 1000);
  }
}

function buildCell(page, title) {
  return build(
    "span",
    { className: "cell", data: { page } },
    build("span", { className: "who" }, `${title}: `),
    build("span", { className: "badge" }, "\u2026"),
    build("span", { className: "reach" }),
  );
}
