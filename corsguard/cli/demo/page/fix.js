// The smallest change that allows a call: shown with what it exposes, then applied.

import { build, buildHiddenText } from "./dom.js";
import { listChangedLines } from "./line_diff.js";
import { buildProblems } from "./problem_list.js";

/**
 * Return the button that shows the fix of a blocked call, or a sentence where there is none.
 *
 * `explanation` is that of /explain, for the policy `inForce`. `onApply(toml)` is called with the
 * whole new text.
 */
export function buildFix(explanation, inForce, onApply) {
  const [fix] = explanation.fixes; // it has all changes that are needed
  const problems = [...explanation.problems, ...(fix?.problems ?? [])];
  if (!fix && problems.length === 0) {
    const advice = explanation.fix ? ` Instead: ${explanation.fix}` : "";
    const text = `No change of the policy allows this call.${advice}`;
    return build("p", { className: "no-fix" }, text);
  }
  const content = problems.length > 0 ? refuse(problems) : offer(fix, inForce, onApply);
  return build(
    "details",
    { className: "fix" },
    build("summary", { className: "button" }, "Fix"),
    build("div", { className: "fix-body" }, ...content),
  );
}

function refuse(problems) {
  return [
    build("p", {}, "The policy does not start with the change that allows this call:"),
    buildProblems(problems),
  ];
}

function offer({ toml, table, exposes }, inForce, onApply) {
  const lines = listChangedLines(inForce, toml).map(buildLine);
  const sentences = exposes.split("\n").map((each) => build("li", {}, each));
  const apply = build("button", { type: "button", className: "apply" }, "Apply");
  apply.addEventListener("click", () => onApply(toml));
  return [
    build("p", { className: "label" }, `The smallest change${table && `, in ${table}`}`),
    build("pre", { className: "diff", tabIndex: 0 }, ...lines),
    build("p", { className: "label" }, "What it exposes"),
    build("ul", { className: "exposes" }, ...sentences),
    apply,
  ];
}

function buildLine([sign, line]) {
  const hint = sign === "-" ? "Removed: " : "Added: ";
  return build(sign === "-" ? "del" : "ins", {}, buildHiddenText(hint), `${sign} ${line}\n`);
}
