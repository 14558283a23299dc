// The results of all calls in a few words: how many are blocked, and what `enforce` does.

import { find, show } from "./dom.js";
import { hasReachedApplication, isRefusedByEnforce } from "./outcome.js";

/** Show the summary of the rows. Each has the outcomes of both pages. */
export function showSummary(rows) {
  showCounts("frontend-summary", rows.map((row) => row.outcomes.frontend));
  showCounts("untrusted-summary", rows.map((row) => row.outcomes.untrusted));
  showEffect(rows);
}

function showCounts(id, outcomes) {
  const count = (verdict) => outcomes.filter((outcome) => outcome.verdict === verdict).length;
  const parts = [`${count("blocked")} blocked`, `${count("allowed")} allowed`];
  if (count("failed")) parts.push(`${count("failed")} without a response`);
  show(find(id), parts.join(", "));
}

/** Show what `enforce` does, by what really happened to the form of the untrusted page. */
function showEffect(rows) {
  const form = rows.find((row) => row.call.name === "form-post").outcomes.untrusted;
  const isRefused = isRefusedByEnforce(form);
  let text = "";
  if (form.verdict === "allowed") {
    text = "The policy allows the untrusted page: it sends what it wants, and reads the responses.";
  } else if (isRefused) {
    text =
      "enforce is on: the untrusted page\u2019s POST gets 403 and never reaches the application.";
  } else if (form.verdict === "blocked") {
    const reached = rows.filter((row) => hasReachedApplication(row.outcomes.untrusted)).length;
    text =
      `enforce is off: ${reached} calls of the untrusted page reached the application, ` +
      "a POST among them. The browser only hides the responses.";
  }
  show(find("effect"), text);
  find("effect").dataset.level = isRefused ? "safe" : "warning";
}
