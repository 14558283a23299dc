// The panel of the policy: the editor, the state of the text in it, its problems, and Undo.

import { ServerGoneError, setEnforce } from "./api.js";
import { find, show } from "./dom.js";
import { Editor } from "./editor.js";
import { PolicyChecker } from "./policy_checker.js";
import { PresetPicker } from "./preset_picker.js";
import { buildProblems } from "./problem_list.js";

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Return true if the text switches enforcement on: a key before the first table. */
function readsEnforce(text) {
  const [top] = text.split(/^\s*\[/m);
  return /^\s*enforce\s*=\s*true\b/m.test(top);
}

export class PolicyPanel {
  #editor;
  #checker;
  #presets;
  #inForce;
  #onApplied;
  #onGone;

  /** `onApplied` is called when another policy is in force, `onGone` when the server is gone. */
  constructor({ toml, presets, onApplied, onGone }) {
    this.#inForce = toml;
    this.#onApplied = onApplied;
    this.#onGone = onGone;
    this.#editor = new Editor(find("toml"), find("toml-lines"), () => this.#change());
    this.#checker = new PolicyChecker({
      onResult: (text, result) => this.#show(text, result),
      onError: (error) => this.#fail(error),
    });
    this.#presets = new PresetPicker(presets, (text) => this.replace(text));
    this.#editor.open(toml);
    this.#presets.match(toml);
    find("undo").addEventListener("click", () => this.#undo());
    find("enforce").addEventListener("change", () => this.#toggleEnforce());
    this.#showState("in-force", "In force");
    this.#showEnforce();
  }

  /** The text of the policy in force, which is not always the text in the editor. */
  get inForce() {
    return this.#inForce;
  }

  /** Put a text into the editor, and check it at once. */
  replace(text) {
    this.#editor.replace(text);
    this.#checker.send(this.#editor.text);
  }

  /** Send the text to a server that was started again, with `toml` in force. */
  reconnect(toml) {
    this.#inForce = toml;
    this.#checker.send(this.#editor.text);
  }

  #change() {
    this.#presets.match(this.#editor.text);
    this.#showEnforce();
    find("undo").disabled = !this.#editor.canUndo;
    find("policy-state").dataset.state = "checking"; // shown, but not read out at each key
    this.#checker.schedule(this.#editor.text);
  }

  #undo() {
    // With nothing more to undo the button is disabled, and the focus stays in the editor.
    this.#editor.undo();
    this.#checker.send(this.#editor.text);
  }

  async #toggleEnforce() {
    try {
      this.replace((await setEnforce(this.#editor.text, find("enforce").checked)).toml);
    } catch (error) {
      this.#showEnforce();
      if (error instanceof ServerGoneError) this.#onGone();
      else this.#showState("refused", "enforce is not changed: correct the TOML first.");
    }
  }

  #show(text, { applied, problems, warnings }) {
    if (applied) {
      this.#inForce = text;
      this.#onApplied();
    }
    if (text !== this.#editor.text) return; // a newer one is about to be sent
    const onSelect = (line) => this.#editor.select(line);
    const mark = (kind) => ({ line }) => [line, kind];
    const marks = [...warnings.map(mark("warning")), ...problems.map(mark("problem"))];
    this.#editor.mark(new Map(marks));
    find("toml").setAttribute("aria-invalid", String(!applied));
    find("problems").replaceChildren(
      buildProblems(problems, { onSelect }),
      buildProblems(warnings, { kind: "warning", onSelect }),
    );
    if (applied) {
      const beside = warnings.length ? `, with ${count(warnings.length, "warning")}` : "";
      this.#showState("in-force", `In force${beside}`);
    } else {
      const found = count(problems.length, "problem");
      this.#showState("refused", `Not applied: ${found}. The last valid policy is still in force.`);
    }
  }

  #fail(error) {
    this.#showState("refused", "Not applied: the server did not accept the text.");
    if (error instanceof ServerGoneError) this.#onGone();
    else console.error(error);
  }

  #showEnforce() {
    find("enforce").checked = readsEnforce(this.#editor.text);
  }

  #showState(state, text) {
    find("policy-state").dataset.state = state;
    show(find("policy-status"), text);
  }
}
