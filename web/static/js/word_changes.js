// Which words of two wordings of one passage differ. Chinese is compared by characters, other scripts by
// words. Pure functions.

const WORDS = /\p{Script=Han}|[\p{L}\p{N}]+|\s+|[^]/gu;
const MAX_WORDS = 600; // of a passage: longer ones are told whole

// {old, new}, each as pieces {text, isChanged} in order. A passage that is only on one side, or too long
// to be compared, is one piece that counts as the same: it stands there whole.
export function changedWords(before, after) {
  const [old, fresh] = [before.match(WORDS) ?? [], after.match(WORDS) ?? []];
  if (!old.length || !fresh.length || Math.max(old.length, fresh.length) > MAX_WORDS) return { old: whole(before), new: whole(after) };
  const same = commonWords(old, fresh);
  return { old: pieces(old, new Set(same.map(([place]) => place))), new: pieces(fresh, new Set(same.map(([, place]) => place))) };
}

const whole = (text) => (text ? [{ text, isChanged: false }] : []);

// Places of a longest common subsequence: [[in old, in fresh]].
function commonWords(old, fresh) {
  const width = fresh.length + 1;
  const best = new Uint16Array((old.length + 1) * width); // of what begins at (row, column)
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = fresh.length - 1; column >= 0; column -= 1) {
      const at = row * width + column;
      best[at] = old[row] === fresh[column] ? best[at + width + 1] + 1 : Math.max(best[at + width], best[at + 1]);
    }
  }
  const found = [];
  for (let row = 0, column = 0; row < old.length && column < fresh.length; ) {
    if (old[row] === fresh[column]) found.push([row++, column++]);
    else if (best[(row + 1) * width + column] >= best[row * width + column + 1]) row += 1;
    else column += 1;
  }
  return found;
}

function pieces(words, kept) {
  const found = [];
  words.forEach((text, place) => {
    const isChanged = !kept.has(place);
    if (found.at(-1)?.isChanged === isChanged) found.at(-1).text += text;
    else found.push({ text, isChanged });
  });
  return found;
}
