/**
 * From a head's scores to an answer in the reader's own text.
 *
 * Follows `bertlesson`: `find_words`, `read_tags`, `decode_entities` and `decode_answers` (tests
 * compare them). Offsets are counted in JavaScript's characters: `text.slice(start, end)`.
 */

/** @typedef {import("./tokenizer.js").Token} Token */
/** @typedef {import("./tokenizer.js").Piece} Piece */
/** @typedef {{start: number, end: number}} Span Offsets in a text. */
/** @typedef {Span & {at: number, pieces: string[]}} Word Its first piece is token number `at`. */
/** @typedef {Span & {kind: string}} Entity */

/**
 * The index of the highest number; the first of them, if there are several.
 * @param {Float32Array | Float64Array | number[]} numbers
 */
export function argmax(numbers) {
  let best = 0;
  for (let at = 1; at < numbers.length; at++) if (numbers[at] > numbers[best]) best = at;
  return best;
}

/**
 * The indices of the numbers, from the highest number to the lowest.
 * @param {Float32Array | number[]} numbers
 */
export const ranking = (numbers) =>
  [...numbers.keys()].sort((one, other) => numbers[other] - numbers[one]);

/**
 * The words of a model's input, from left to right: what the tokenizer splits into pieces.
 * Dropped characters that follow a word belong to it, as an accent does to its letter.
 *
 * @param {Piece[]} tokens As `Tokenizer.encode` gives them.
 */
export function findWords(tokens) {
  /** @type {Word[]} */
  const words = [];
  tokens.forEach(({ piece, start, reach, structural }, at) => {
    if (structural) return;
    const word = words.at(-1);
    if (word && piece.startsWith("##")) {
      word.end = reach;
      word.pieces.push(piece);
    } else {
      words.push({ at, start, end: reach, pieces: [piece] });
    }
  });
  return words;
}

/**
 * Whether the lesson's model has never met a word: it is spelled in letters, or unknown altogether.
 * The words of its world are one piece, or a stem with an ending like "##ing".
 * @param {{pieces: string[]}} word
 */
export const isForeign = ({ pieces }) =>
  pieces.some((piece) => /^(\[UNK\]|##.|[b-z])$/u.test(piece));

// --8<-- [start:entities]
/**
 * A word's position in an entity, as in IOBES, by the letters of other schemes, too.
 * @type {Record<string, string>}
 */
const PLACES = { O: "O", B: "B", I: "I", E: "E", S: "S", L: "E", U: "S", M: "I" };

/**
 * The entities that a row of tags spells: words from `first` to before `after`.
 *
 * @param {string[]} tags Such as `["B-PER", "I-PER", "O"]`, of any scheme. Where no scheme allows
 *   them, an I or E without a beginning begins an entity, and so does one of another kind.
 * @returns {{first: number, after: number, kind: string}[]} A kind is all that follows the first
 *   hyphen, and "_" where there is none.
 */
export function readTags(tags) {
  /** @type {{first: number, after: number, kind: string}[]} */
  const found = [];
  let open = ""; // the kind of the entity that the next word may continue
  tags.forEach((tag, word) => {
    const [letter] = tag.split("-", 1);
    if (!Object.hasOwn(PLACES, letter)) throw new Error(`The label "${tag}" fits no scheme`);
    const place = PLACES[letter];
    const kind = tag.slice(letter.length + 1) || "_";
    const last = found.at(-1);
    if (last && "IE".includes(place) && kind === open) last.after = word + 1;
    else if (place !== "O") found.push({ first: word, after: word + 1, kind });
    open = "BI".includes(place) ? kind : "";
  });
  return found;
}

/**
 * The entities that the labels spell. A word's label is read at its first piece.
 *
 * @param {(Float32Array | number[])[]} scores For each token, a score for each label.
 * @param {(Span & {at: number})[]} words See `findWords`.
 * @param {string[]} labels Such as `["O", "B-PER", "I-PER"]`.
 * @returns {Entity[]}
 */
export function decodeEntities(scores, words, labels) {
  const tags = words.map(({ at }) => labels[argmax(scores[at])]);
  return readTags(tags).map(({ first, after, kind }) => {
    return { start: words[first].start, end: words[after - 1].end, kind };
  });
}
// --8<-- [end:entities]

// --8<-- [start:answer]
/**
 * The best span of the context, and whether "no answer" beats it.
 *
 * @param {{start: number[], end: number[]}} scores For each token, from `Bert.spans`.
 * @param {Token[]} tokens Question and context, as `Tokenizer.encode` gives them.
 * @param {{longest?: number}} limits In pieces; longer spans are not looked at.
 * @returns {{span: (Span & {score: number}) | null, none: number, answered: boolean}} The span's characters in the context and its score, null if there is no
 *   context; the score of "no answer"; and which of the two is higher.
 */
export function decodeAnswer(scores, tokens, { longest = 30 } = {}) {
  /** @param {Token} token */
  const isContext = ({ segment, structural }) => segment === 1 && !structural;
  const first = tokens.findIndex(isContext);
  const last = tokens.findLastIndex(isContext);
  const none = scores.start[0] + scores.end[0]; // [CLS] stands for "no answer"
  /** @type {(Span & {score: number}) | null} */
  let span = null;
  for (let i = first; first >= 0 && i <= last; i++) {
    for (let j = i; j <= last && j < i + longest; j++) {
      const score = scores.start[i] + scores.end[j];
      if (span && score <= span.score) continue;
      span = { start: tokens[i].start, end: tokens[j].reach, score };
    }
  }
  return { span, none, answered: span !== null && none <= span.score };
}
// --8<-- [end:answer]
