// Runs the calls against the API, and shows on cards what the browser let this page see.

import { calls } from "./calls.js";
import { Card } from "./card.js";

const byId = (id) => document.getElementById(id);
const settings = await (await fetch("settings.json")).json();
const listed = settings.policy.allow_origins.includes(location.origin);
const cards = calls.map((call) => new Card(call));

function introduce() {
  byId("page-origin").textContent = location.origin;
  byId("api-origin").textContent = settings.api;
  byId("policy").parentElement.open = matchMedia("(min-width: 60rem)").matches;
  byId("policy").textContent = Object.entries(settings.policy)
    .map(([field, value]) => `${field} = ${JSON.stringify(value).replaceAll('","', '", "')}`)
    .join("\n");
  byId("listed").textContent = listed
    ? "\u2713 Listed in the API\u2019s policy"
    : "\u2717 Not listed in the API\u2019s policy";
  byId("listed").dataset.listed = listed ? "yes" : "no";
  byId("look").textContent = listed
    ? "Look at the blocked calls: the method and the header that they use are not in the policy. " +
      "Then open the same page as a stranger."
    : "Every call is blocked here. Look at which ones reached the app all the same: " +
      "CORS keeps answers from scripts, not requests from servers.";
  const home = location.origin === settings.frontend;
  byId("other").textContent = home ? "Open as stranger" : "Open as frontend";
  byId("other").href = home ? settings.stranger : settings.frontend;
  byId("rows").replaceChildren(...cards.map((card) => card.element));
}

// Each call has an id of its own, by which the API keeps what it answered to it.
function send(path, options) {
  const id = crypto.randomUUID();
  const answer = fetch(`${settings.api}${path}?call=${id}`, options);
  const journal = async () => (await fetch(`${settings.api}/journal?call=${id}`)).json();
  return { answer, journal };
}

async function run(card) {
  const { path, options, read, signIn } = card.call;
  card.start();
  // A stranger can't read this answer, but the browser takes the cookie from it.
  if (signIn) await fetch(`${settings.api}${signIn}`, options).catch(() => {});
  const { answer, journal } = send(path, options);
  const outcome = await answer
    .then((response) => read(response, (text, parts) => card.progress(text, parts)))
    .then((seen) => ({ seen, readable: true }))
    .catch((error) => ({ seen: String(error), readable: false }));
  return card.finish({ ...outcome, exchanges: await journal().catch(() => []) });
}

async function runAll() {
  document.body.dataset.state = "running";
  byId("again").disabled = true;
  byId("summary").textContent = `Sending ${cards.length} calls\u2026`;
  const verdicts = await Promise.all(cards.map(run));
  const count = (verdict) => verdicts.filter((each) => each === verdict).length;
  const unanswered = count("failed") ? `, ${count("failed")} without an answer` : "";
  byId("summary").textContent = `${count("readable")} readable, ${count("blocked")} blocked${unanswered}`;
  byId("again").disabled = false;
  document.body.dataset.state = "done";
}

introduce();
byId("again").addEventListener("click", runAll);
await runAll();
