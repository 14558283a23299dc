// The text area of corsguard.toml: line numbers, marked lines, and changes that can be undone.

import { build } from "./dom.js";

const LEAST_LINES = 6;

export class Editor {
  #area;
  #lines;
  #marks = new Map(); // line -> "problem" or "warning"
  #history = []; // the text before each change that was not typed

  /** `onChange` is called after each change of the text, whoever made it. */
  constructor(area, lines, onChange) {
    this.#area = area;
    this.#lines = lines;
    area.addEventListener("input", () => {
      this.#marks.clear(); // a problem's line may be another one by now
      this.#draw();
      onChange();
    });
  }

  get text() {
    return this.#area.value;
  }

  get canUndo() {
    return this.#history.length > 0;
  }

  /** Show the first text, which can't be undone. */
  open(text) {
    this.#area.value = text;
    this.#draw();
  }

  /** Put another text in the place of this one, as one step that can be undone. */
  replace(text) {
    if (text === this.text) return;
    this.#history.push(this.text);
    this.#type(text);
  }

  /** Bring back the text before the last `replace`. */
  undo() {
    if (this.canUndo) this.#type(this.#history.pop());
  }

  /** Mark lines: a Map of number, from 1, -> "problem" or "warning". */
  mark(marks) {
    this.#marks = marks;
    this.#draw();
  }

  /** Put the caret on a line, and select it. */
  select(number) {
    const before = this.text.split("\n").slice(0, number - 1);
    const start = before.reduce((length, line) => length + line.length + 1, 0);
    const length = this.text.slice(start).split("\n", 1)[0].length;
    this.#area.focus();
    this.#area.setSelectionRange(start, start + length);
  }

  #type(text) {
    // Assigning `value` would end what Ctrl-Z can undo, and this command needs the focus.
    const focused = document.activeElement;
    this.#area.focus({ preventScroll: true });
    this.#area.select();
    const command = text === "" ? "delete" : "insertText";
    if (!document.execCommand(command, false, text)) {
      this.#area.value = text;
      this.#area.dispatchEvent(new Event("input"));
    }
    this.#area.setSelectionRange(0, 0);
    if (focused !== this.#area) focused?.focus({ preventScroll: true });
  }

  #draw() {
    const count = Math.max(this.text.split("\n").length, LEAST_LINES);
    this.#area.rows = count;
    this.#lines.replaceChildren(
      ...Array.from({ length: count }, (_, index) => {
        const number = index + 1;
        const data = this.#marks.has(number) ? { mark: this.#marks.get(number) } : {};
        return build("li", { data }, String(number));
      }),
    );
  }
}
