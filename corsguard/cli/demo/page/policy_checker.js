// Sends the policy while it is typed. The last text wins.

import { applyPolicy } from "./api.js";

const PAUSE = 300; // milliseconds without a key before the text is sent

export class PolicyChecker {
  #timer;
  #next = null; // the text to send, if any
  #isSending = false;

  #onResult;
  #onError;

  /** `onResult(text, result)` gets the response for each text, in order; `onError` an exception. */
  constructor({ onResult, onError }) {
    this.#onResult = onResult;
    this.#onError = onError;
  }

  /** Send the text after a pause, unless another one comes first. */
  schedule(text) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.send(text), PAUSE);
  }

  /** Send the text now. */
  async send(text) {
    clearTimeout(this.#timer);
    this.#next = text;
    // One at a time: two requests could arrive in another order, and the older text would win.
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#next !== null) {
        const sent = this.#next;
        this.#next = null;
        this.#onResult(sent, await applyPolicy(sent));
      }
    } catch (error) {
      this.#next = null;
      this.#onError(error);
    } finally {
      this.#isSending = false;
    }
  }
}
