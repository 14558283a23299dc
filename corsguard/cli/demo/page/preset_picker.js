// Policies to start from, with the code as people write it in other libraries.

import { build, find } from "./dom.js";

export class PresetPicker {
  #presets;

  /** `onPick(toml)` is called with the text of the chosen preset. */
  constructor(presets, onPick) {
    this.#presets = presets;
    // The library is in each text, since a closed menu shows no group.
    find("preset").append(
      ...presets.map(({ name, from, title }) =>
        build("option", { value: name }, `${from}: ${title.toLowerCase()}`),
      ),
    );
    find("preset").addEventListener("change", () => {
      const chosen = presets.find(({ name }) => name === find("preset").value);
      if (chosen) onPick(chosen.toml);
    });
  }

  /** Show which preset a text is, if it is one. */
  match(text) {
    const preset = this.#presets.find(({ toml }) => toml.trim() === text.trim());
    find("preset").value = preset?.name ?? "";
    find("preset-about").hidden = !preset;
    if (!preset) return;
    find("preset-from").textContent = `Code for ${preset.from}`;
    find("preset-snippet").textContent = preset.snippet;
    find("preset-sentence").textContent = preset.about;
  }
}
