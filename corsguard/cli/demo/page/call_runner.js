// Sends the calls with the browser's real fetch(), from whichever page loads this module.

import { calls } from "./calls.js";

function encodeBody({ json, form, text }) {
  if (json) return JSON.stringify(json);
  return form ? new URLSearchParams(form) : text;
}

async function readParts(response, onPart) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
    onPart(text.trimEnd().split("\n").at(-1));
  }
  return text.trimEnd().split("\n").at(-1);
}

/** Return what the script gets to see of a response, in one line. */
async function read(response, how, onPart) {
  if (how === "parts") return `${response.status} ${await readParts(response, onPart)}`;
  if (how !== "text") return `${how}: ${response.headers.get(how)}`;
  return `${response.status} ${(await response.text()).trim() || "(no content)"}`;
}

/**
 * Make one call, and return its outcome: { verdict: "allowed", "blocked" or "failed" (no response
 * at all), seen: what the script sees, exchanges: what the API recorded of it }.
 */
async function run(call, { api, credentials, signal, onPart }) {
  // The API records its responses by this id, with what no script may read: their headers.
  const id = crypto.randomUUID();
  const options = { method: call.method, headers: call.headers, credentials, signal };
  if (call.body) options.body = encodeBody(call.body);
  const outcome = await fetch(`${api}${call.path}?call=${id}`, options)
    .then((response) => read(response, call.read, (text) => onPart(call, text)))
    .then((seen) => ({ verdict: "allowed", seen }))
    .catch((error) => ({ verdict: "blocked", seen: String(error) }));
  return fetch(`${api}/journal?call=${id}`, { signal })
    .then((response) => response.json())
    .then((exchanges) => ({ ...outcome, exchanges }))
    .catch(() => ({ verdict: "failed", seen: outcome.seen, exchanges: [] }));
}

/**
 * Make all calls at once. `onOutcome(call, outcome)` gets each result, and `onPart(call, text)`
 * each part of a stream. Both are silent once `signal` is aborted.
 */
export async function runCalls({ api, credentials, signal, onOutcome, onPart }) {
  const unlessAborted = (action) => (...values) => signal.aborted || action(...values);
  const settings = { api, credentials, signal, onPart: unlessAborted(onPart) };
  const report = unlessAborted(onOutcome);
  await Promise.all(calls.map(async (call) => report(call, await run(call, settings))));
}
