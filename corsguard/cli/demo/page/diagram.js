// A call as a sequence diagram: the page's lifeline on the left, the server's on the right.
// It is an ordered list, so its text reads in the same order without a picture.

import { build, buildClauseLink, buildHiddenText } from "./dom.js";
import { isEnforced } from "./outcome.js";

// The header fields that CORS depends on, or that the calls are about.
const REQUEST_FIELDS =
  /^(origin|access-control-.*|content-type|authorization|cookie|sec-fetch-site|x-.*)$/i;
const RESPONSE_FIELDS = /^(access-control-.*|vary|set-cookie|x-.*)$/i;
// The step of the standard in which a request goes over the network: drawn as arrows.
const NETWORK_STEP = "#http-network-or-cache-fetch";

/**
 * Return the diagram of a call. `steps` are those of the browser, from /explain, and `exchanges`
 * what the server really received and sent.
 */
export function buildDiagram({ page, server, steps, exchanges }) {
  const sent = [...exchanges];
  const items = steps.flatMap((step) => {
    const exchange = step.address.endsWith(NETWORK_STEP) && sent.shift();
    return exchange ? buildExchange(exchange) : [buildStep(step)];
  });
  return build(
    "div",
    { className: "diagram" },
    build(
      "p",
      { className: "lifelines" },
      build("span", {}, "Page ", build("code", {}, page)),
      build("span", {}, "Server ", build("code", {}, server)),
    ),
    build("ol", { className: "sequence" }, ...items),
  );
}

function buildExchange(exchange) {
  const request = `${exchange.method} ${exchange.path}`;
  const purpose =
    exchange.method === "OPTIONS"
      ? "The browser sends a preflight: may the page send this request?"
      : "The browser sends the request of the script";
  const isFromCorsguard = exchange.kind === "PREFLIGHT" || isEnforced(exchange);
  return [
    build("li", { className: "note" }, purpose),
    buildArrow("to-server", "To the server: ", request, exchange.request_headers, REQUEST_FIELDS),
    build(
      "li",
      { className: "responder" },
      isFromCorsguard ? "corsguard responds" : "the application responds",
    ),
    buildArrow("to-page", "To the page: ", `${exchange.status}`, exchange.headers, RESPONSE_FIELDS),
  ];
}

function buildArrow(direction, hint, label, fields, shown) {
  const rows = fields
    .filter(([name]) => shown.test(name))
    .map(([name, value]) => build("li", {}, build("b", {}, `${name}: `), value));
  return build(
    "li",
    { className: `arrow ${direction}` },
    build("p", { className: "arrow-label" }, buildHiddenText(hint), label),
    rows.length > 0 && build("ul", { className: "fields" }, ...rows),
  );
}

function buildStep({ passed, text, clause, address }) {
  return build(
    "li",
    { className: passed ? "step" : "step failed" },
    build("span", { className: "sign", aria: { hidden: "true" } }, passed ? "\u2713" : "\u2717"),
    build(
      "span",
      {},
      buildHiddenText(passed ? "Passed: " : "Failed: "),
      text,
      !passed && build("b", { className: "stop" }, " The browser blocks the call here."),
      " ",
      buildClauseLink(clause, address),
    ),
  );
}
