// Problems and warnings of a policy: where, which, and what to do.

import { build, buildLink, buildProse } from "./dom.js";

/**
 * Return the list of problems. `onSelect(line)` is called to show the line of one; without it, no
 * line is named.
 */
export function buildProblems(problems, { kind = "problem", onSelect = null } = {}) {
  return build("ul", { className: "problems" }, ...problems.map((each) => buildItem(each, kind, onSelect)));
}

function buildItem({ code, url, message, suggestion, line }, kind, onSelect) {
  const place = onSelect && line && build("button", { type: "button", className: "line-link" }, `Line ${line}`);
  place?.addEventListener("click", () => onSelect(line));
  return build(
    "li",
    { className: "problem", data: { kind, code } },
    build("p", { className: "problem-head" }, place ?? null, buildLink(url, build("code", {}, code))),
    build("p", {}, buildProse(message)),
    suggestion ? build("p", { className: "suggestion" }, build("b", {}, "Instead: "), buildProse(suggestion)) : null,
  );
}
