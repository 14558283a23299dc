// One card of the page: shows a call, and then what came of it. Only text is ever put in.

const template = document.getElementById("card");
const exchangeTemplate = document.getElementById("exchange");
const MARKS = { readable: "\u2713 Readable", blocked: "\u2717 Blocked", failed: "! No answer" };
const NO_ANSWER = "The API gave no answer at all: is the demo still running?";

export class Card {
  constructor(call) {
    this.call = call;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.dataset.row = call.name;
    this.put("title", call.title);
    this.put("code", call.code);
    this.part("headers").open = matchMedia("(min-width: 60rem)").matches;
  }

  part(name) {
    return this.element.querySelector(`.${name}`);
  }

  put(name, text) {
    this.part(name).textContent = text;
  }

  start() {
    for (const name of ["verdict", "preflight", "reason", "parts"]) delete this.element.dataset[name];
    this.put("verdict", "\u2026 Running");
    for (const name of ["why", "seen", "preflight", "reached", "reason", "detail"]) this.put(name, "");
    this.part("exchanges").replaceChildren();
  }

  progress(text, parts) {
    const bar = this.part("progress");
    bar.hidden = false;
    bar.max = Number(text.split(" ").at(-1));
    bar.value = parts;
    this.element.dataset.parts = Number(this.element.dataset.parts ?? 0) + 1;
    this.put("seen", text);
  }

  // outcome: { seen: text, readable: whether the script got an answer, exchanges: the journal's }
  finish({ seen, readable, exchanges }) {
    const last = exchanges.at(-1);
    const preflight = exchanges.find((exchange) => exchange.kind === "PREFLIGHT");
    const actual = exchanges.find((exchange) => exchange.kind !== "PREFLIGHT");
    const data = this.element.dataset;
    data.verdict = readable ? "readable" : last ? "blocked" : "failed";
    data.preflight = preflight ? "yes" : "no";
    data.reason = last?.reason ?? "";
    this.part("progress").hidden = true;
    this.put("verdict", MARKS[data.verdict]);
    this.put("why", this.why(readable, last));
    this.put("seen", seen);
    this.put("preflight", preflight ? `needed, for ${this.call.asks}` : "not needed");
    this.put("reached", actual ? (actual.cookie ? "yes, with the cookie" : "yes") : "no");
    this.put("reason", data.reason);
    this.put("detail", last?.detail ?? "");
    this.part("exchanges").replaceChildren(...exchanges.map(exchangeElement));
    return data.verdict;
  }

  why(readable, last) {
    if (readable) return this.call.lesson;
    if (!last) return NO_ANSWER;
    const what = last.reason.startsWith("ORIGIN") ? "this origin" : this.call.asks;
    return last.kind === "PREFLIGHT"
      ? `The browser asked first, and the policy does not list ${what}: the request was never sent.`
      : `The request was sent and answered, but the policy does not list ${what}: the browser keeps the answer from the script.`;
  }
}

function exchangeElement(exchange) {
  const element = exchangeTemplate.content.firstElementChild.cloneNode(true);
  const about = exchange.headers.filter(([name]) => /^(access-control-|vary$)/i.test(name));
  element.querySelector("h3").textContent = `${exchange.method} \u2192 ${exchange.status}`;
  element.querySelector("pre").replaceChildren(
    ...about.map(([name, value]) => {
      const line = document.createElement("span");
      line.textContent = `${name}: ${value}`;
      return line;
    }),
  );
  return element;
}
