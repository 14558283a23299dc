// The smallest change that allows a call: shown with what it exposes, then applied.

import { build, buildHiddenText } from "./dom.js";
import { listChangedLines } from "./line_diff.js";
import { buildProblems } from "./problem_list.js";

/**
 * Return the button that shows the fix of a blocked call.
 *
 * `fixes` are those of /explain, and together they allow the call. `advice` says what to do where
 * there are none. `onApply(toml)` is called with the whole new text.
 */
export function buildFix({ fixes, advice, inForce, onApply }) {
  if (fixes.length === 0) {
    const text = `No change of the policy allows this call. Instead: ${advice}`;
    return build("p", { className: "no-fix" }, text);
  }
  const details = build("details", { className: "fix" }, build("summary", { className: "button" }, "Fix"));
  const problems = fixes.flatMap((fix) => fix.problems);
  details.append(
    build("div", { className: "fix-body" }, ...(problems.length ? refuse(problems) : offer(fixes, inForce, onApply))),
  );
  return details;
}

function refuse(problems) {
  return [
    build("p", {}, "The policy would not start with the change that allows this call:"),
    buildProblems(problems),
  ];
}

function offer(fixes, inForce, onApply) {
  const { toml } = fixes.at(-1);
  const tables = [...new Set(fixes.map((fix) => fix.table).filter(Boolean))];
  const exposes = fixes.flatMap((fix) => fix.exposes.split("\n"));
  const apply = build("button", { type: "button", className: "apply" }, "Apply");
  apply.addEventListener("click", () => onApply(toml));
  return [
    build("p", { className: "label" }, ["The smallest change", ...tables].join(" in ")),
    build("pre", { className: "diff", tabIndex: 0 }, ...listChangedLines(inForce, toml).map(buildLine)),
    build("p", { className: "label" }, "What it exposes"),
    build("ul", { className: "exposes" }, ...exposes.map((each) => build("li", {}, each))),
    apply,
  ];
}

function buildLine([sign, line]) {
  const hint = sign === "-" ? "Removed: " : "Added: ";
  return build(sign === "-" ? "del" : "ins", {}, buildHiddenText(hint), `${sign} ${line}\n`);
}
