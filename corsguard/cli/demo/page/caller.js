// The untrusted page: makes the calls when the playground asks for it, and reports the outcomes.
// Neither page can look into the other, so they talk by messages, and check who sent them.

import { runCalls } from "./call_runner.js";

const { api, frontend } = await (await fetch("settings.json")).json();
const report = (message) => parent.postMessage(message, frontend);
let running = new AbortController();

addEventListener("message", ({ source, origin, data }) => {
  if (source !== parent || origin !== frontend) return;
  running.abort();
  running = new AbortController();
  const { run, credentials } = data;
  runCalls({
    api,
    credentials,
    signal: running.signal,
    onOutcome: (call, outcome) => report({ run, name: call.name, outcome }),
    onPart: () => {},
  });
});
report({ isReady: true });
