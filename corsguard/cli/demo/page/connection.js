// Notices that the demo was stopped, says so once, and goes on when it is there again.

import { readSettings } from "./api.js";
import { find } from "./dom.js";

const MILLISECONDS_BETWEEN_TRIES = 1000;
const MESSAGE =
  "The demo does not respond. Start it again with \u201ccorsguard demo\u201d: " +
  "this page goes on by itself.";

export class Connection {
  #settings;
  #onBack;
  #isLost = false;

  /** `onBack(toml)` gets the policy in force, each time when the servers are there again. */
  constructor(settings, onBack) {
    this.#settings = settings;
    this.#onBack = onBack;
  }

  /** Say that a server is gone, and wait for it. */
  async lose() {
    if (this.#isLost) return;
    this.#isLost = true;
    find("gone").textContent = MESSAGE;
    let settings = null;
    while (!(settings = await this.#reconnect())) {
      await new Promise((resolve) => setTimeout(resolve, MILLISECONDS_BETWEEN_TRIES));
    }
    this.#isLost = false;
    find("gone").textContent = "";
    this.#onBack(settings.toml);
  }

  /** Return the settings, or null while a server is still gone. */
  async #reconnect() {
    try {
      const settings = await readSettings();
      const { api, untrusted } = settings;
      // Started again on other ports: this page has the old ones everywhere.
      if (api !== this.#settings.api || untrusted !== this.#settings.untrusted) location.reload();
      await fetch(`${api}/journal?call=connection`);
      return settings;
    } catch {
      return null;
    }
  }
}
