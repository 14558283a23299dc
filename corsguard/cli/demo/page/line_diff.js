// The difference of two texts by lines: the longest common subsequence, enough for a short file.

/** Return [sign, line] of each line in order: "-" is only in `before`, "+" only in `after`. */
export function diffLines(before, after) {
  const [old, fresh] = [before, after].map((text) => text.trimEnd().split("\n"));
  // lengths[i][j]: the length of the longest common subsequence of old[i:] and fresh[j:].
  const lengths = Array.from({ length: old.length + 1 }, () => Array(fresh.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      lengths[i][j] =
        old[i] === fresh[j]
          ? lengths[i + 1][j + 1] + 1
          : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) lines.push([" ", old[i++], j++]);
    else if (i < old.length && (j === fresh.length || lengths[i + 1][j] >= lengths[i][j + 1])) {
      lines.push(["-", old[i++]]);
    } else lines.push(["+", fresh[j++]]);
  }
  return lines.map(([sign, line]) => [sign, line]);
}

/** Return the changed lines only. */
export const listChangedLines = (before, after) =>
  diffLines(before, after).filter(([sign]) => sign !== " ");
