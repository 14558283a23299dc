// Problems and warnings of a policy: where, which, and what to do.

import { build, buildLink, buildProse } from "./dom.js";

/**
 * Return the list of problems. `onSelect(line)` is called to show the line of one; without it, no
 * line is named.
 */
export function buildProblems(problems, { kind = "problem", onSelect = null } = {}) {
  const items = problems.map((problem) => buildItem(problem, kind, onSelect));
  return build("ul", { className: "problems" }, ...items);
}

function buildItem({ code, url, field, message, suggestion, line }, kind, onSelect) {
  const link = buildLink(url, build("code", {}, code));
  const place = onSelect && line !== null && buildPlace(line, onSelect);
  const advice = suggestion && build("b", {}, "Instead: ");
  return build(
    "li",
    { className: "problem", data: { kind, code } },
    build("p", { className: "problem-head" }, place, link),
    build("p", {}, build("code", {}, field), ": ", buildProse(message)),
    advice && build("p", { className: "suggestion" }, advice, buildProse(suggestion)),
  );
}

function buildPlace(line, onSelect) {
  const button = build("button", { type: "button", className: "line-link" }, `Line ${line}`);
  button.addEventListener("click", () => onSelect(line));
  return button;
}
