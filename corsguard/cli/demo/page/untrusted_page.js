// The playground's side of the untrusted page, which runs in a frame of its own origin.

import { calls } from "./calls.js";

const byName = new Map(calls.map((call) => [call.name, call]));

export class UntrustedPage {
  #frame;
  #origin;
  #ready;
  #run = 0;
  #receive = () => {};

  constructor(frame, origin) {
    this.#frame = frame;
    this.#origin = origin;
    this.#ready = new Promise((resolve) => {
      addEventListener("message", ({ source, origin: sender, data }) => {
        if (source !== frame.contentWindow || sender !== origin) return;
        if (data.isReady) resolve();
        else this.#receive(data);
      });
    });
    frame.src = `${origin}/caller.html`;
  }

  /** Make all calls from the untrusted page. The shape is that of `runCalls`. */
  async runCalls({ credentials, signal, onOutcome }) {
    await this.#ready;
    if (signal.aborted) return;
    const run = ++this.#run;
    await new Promise((resolve) => {
      let missing = calls.length;
      signal.addEventListener("abort", resolve);
      this.#receive = (message) => {
        if (message.run !== run) return;
        onOutcome(byName.get(message.name), message.outcome);
        if (--missing === 0) resolve();
      };
      this.#frame.contentWindow.postMessage({ run, credentials }, this.#origin);
    });
  }
}
