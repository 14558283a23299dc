// The difference of two texts by lines: what their longest common subsequence leaves out.

/** Return [sign, line] of each changed line: "-" is only in `before`, "+" only in `after`. */
export function listChangedLines(before, after) {
  const [old, fresh] = [before, after].map((text) => text.trimEnd().split("\n"));
  const lengths = measureCommonLines(old, fresh);
  const changes = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    if (i < old.length && old[i] === fresh[j]) {
      i++;
      j++;
    } else if (j === fresh.length || (i < old.length && lengths[i + 1][j] >= lengths[i][j + 1])) {
      changes.push(["-", old[i++]]);
    } else {
      changes.push(["+", fresh[j++]]);
    }
  }
  return changes;
}

/** Return a table: [i][j] is the length of that subsequence of old[i:] and fresh[j:]. */
function measureCommonLines(old, fresh) {
  const lengths = Array.from({ length: old.length + 1 }, () => Array(fresh.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      const longest = Math.max(lengths[i + 1][j], lengths[i][j + 1]);
      lengths[i][j] = old[i] === fresh[j] ? lengths[i + 1][j + 1] + 1 : longest;
    }
  }
  return lengths;
}
