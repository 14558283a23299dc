// The playground: puts the policy, the calls and the two pages together.

import { readSettings } from "./api.js";
import { CallRow } from "./call_row.js";
import { runCalls } from "./call_runner.js";
import { calls } from "./calls.js";
import { Connection } from "./connection.js";
import { find } from "./dom.js";
import { PolicyPanel } from "./policy_panel.js";
import { showSummary } from "./summary.js";
import { UntrustedPage } from "./untrusted_page.js";

const settings = await readSettings();
const connection = new Connection(settings, (toml) => {
  policy.reconnect(toml);
  runAll(); // and once more if the text in the editor is put in force
});
const policy = new PolicyPanel({ ...settings, onApplied: runAll, onGone: () => connection.lose() });
const untrustedPage = new UntrustedPage(find("untrusted-frame"), settings.untrusted);
const rows = new Map(calls.map((call) => [call, buildRow(call)]));
let running = new AbortController();
let fixed = null; // the row that a fix was applied to, until its call is made again

function buildRow(call) {
  const fix = {
    getAppliedText: () => policy.appliedText,
    onApply: (toml) => {
      fixed = rows.get(call);
      fixed.focus(); // the button that has the focus is about to go
      policy.replace(toml);
    },
  };
  const pages = {
    frontend: { title: "Your frontend", origin: settings.frontend, fix },
    untrusted: { title: "Untrusted page", origin: settings.untrusted, fix: null },
  };
  return new CallRow(call, { api: settings.api, pages });
}

function introduce() {
  for (const [name, origin] of Object.entries({
    "api-origin": settings.api,
    "frontend-origin": settings.frontend,
    "untrusted-origin": settings.untrusted,
  })) {
    find(name).textContent = origin;
  }
  find("api-link").href = settings.api;
  find("rows").append(...[...rows.values()].map((row) => row.element));
  for (const radio of document.querySelectorAll("[name=credentials]")) {
    radio.addEventListener("change", runAll);
  }
  find("again").addEventListener("click", runAll);
}

/** Sign in, so that there is a cookie to send. The response needs no reading, and no CORS. */
const signIn = () =>
  fetch(`${settings.api}/sign-in`, { mode: "no-cors", credentials: "include" }).catch(() => {});

/** Make all calls from both pages. Calls that are still running are given up. */
async function runAll() {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const credentials = document.querySelector("[name=credentials]:checked").value;
  document.body.dataset.state = "running";
  for (const row of rows.values()) row.start(credentials);
  await signIn();
  const start = (page, run) =>
    run({
      api: settings.api,
      credentials,
      signal,
      onOutcome: (call, outcome) => rows.get(call).finish(page, outcome),
      onPart: (call, text) => rows.get(call).showPart(text),
    });
  await Promise.all([
    start("frontend", runCalls),
    start("untrusted", (options) => untrustedPage.runCalls(options)),
  ]);
  if (signal.aborted) return;
  await showResults();
  if (!signal.aborted) document.body.dataset.state = "done";
}

async function showResults() {
  const all = [...rows.values()];
  sortRows();
  showSummary(all);
  if (all.every((row) => row.verdict === "failed")) connection.lose();
  await Promise.all(all.map((row) => row.settle()));
}

/** Put the blocked calls first, otherwise in the order of calls.js. */
function sortRows() {
  // The row whose fix was applied stays where the user looks.
  const isBlocked = (row) => row.verdict !== "allowed" || row === fixed;
  const all = [...rows.values()];
  const sorted = [...all.filter(isBlocked), ...all.filter((row) => !isBlocked(row))];
  const elements = sorted.map((row) => row.element);
  fixed = null;
  if (elements.every((element, index) => find("rows").children[index] === element)) return;
  const focused = document.activeElement;
  find("rows").append(...elements);
  // Moving an element takes the focus from it.
  if (find("rows").contains(focused)) focused.focus();
}

introduce();
await runAll();
// On a wide screen there is room for one diagram at first sight.
if (matchMedia("(min-width: 68rem)").matches) {
  [...rows.values()].find((row) => row.verdict === "blocked")?.open();
}
