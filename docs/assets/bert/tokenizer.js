/**
 * WordPiece, as BERT's uncased models use it: text in, pieces with their ids and offsets out.
 *
 * Follows google-research/bert, `tokenization.py`, and gives what `tokenizers` gives (a test
 * compares them). Offsets are counted in JavaScript's characters: `text.slice(start, end)`.
 */
import {
  isAccent,
  isChinese,
  isControl,
  isPunctuation,
  isSpace,
  takeApart,
} from "./unicode.js";

/**
 * A piece of a text.
 * @typedef {object} Piece
 * @property {string} piece
 * @property {number} id
 * @property {number} start
 * @property {number} end
 * @property {number} reach Where the characters end that were dropped behind it, such as an accent.
 * @property {boolean} [structural] It is no part of the text, such as [CLS].
 */

/** @typedef {Piece & {segment: 0 | 1}} Token A piece of an input, in A or B. */

/** @typedef {{chars: string[], places: number[][], start: number, end: number}} Word */

const LONGEST_WORD = 100; // characters; a longer word is unknown

export class Tokenizer {
  /** @param {string[]} vocab The pieces, in the order of their ids. */
  constructor(vocab) {
    this.pieces = vocab;
    this.ids = new Map(vocab.map((piece, id) => [piece, id]));
    this.longestPiece = Math.max(...vocab.map((piece) => piece.length));
    this.special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].filter((t) =>
      this.ids.has(t),
    );
  }

  /**
   * The pieces of a text, without [CLS] and [SEP].
   * @param {string} text
   */
  tokenize(text) {
    /** @type {Piece[]} */
    const found = [];
    let at = 0;
    // a structural token that is written out, such as [MASK], stays what it is
    for (const part of text.split(/(\[(?:PAD|UNK|CLS|SEP|MASK)\])/)) {
      if (this.special.includes(part)) {
        found.push(this.#token(part, at, at + part.length));
      } else {
        for (const word of words(part, at)) {
          found.push(...this.#wordPieces(word));
        }
      }
      at += part.length;
    }
    found.forEach((token, n) => {
      token.reach = reach(text, token.end, found[n + 1]?.start ?? text.length);
    });
    return found;
  }

  /**
   * A model's input: [CLS] A [SEP], or [CLS] A [SEP] B [SEP], of at most `longest` tokens.
   *
   * A longer input is cut off at the end: of B alone if `keepA`, else of the longer one.
   * @param {string} textA
   * @param {string | null} textB
   * @returns {{tokens: Token[], ids: number[], segments: number[], cut: boolean}}
   */
  encode(textA, textB = null, { longest = Infinity, keepA = false } = {}) {
    const a = this.tokenize(textA);
    const b = textB === null ? null : this.tokenize(textB);
    const room = longest - (b ? 3 : 2);
    let cut = false;
    while (a.length + (b?.length ?? 0) > room) {
      (b?.length && (keepA || b.length >= a.length) ? b : a).pop();
      cut = true;
    }
    /** @param {string} piece */
    const mark = (piece) => ({ ...this.#token(piece, 0, 0), structural: true });
    /** @type {Token[]} */
    const tokens = [];
    for (const piece of [mark("[CLS]"), ...a, mark("[SEP]")]) {
      tokens.push({ ...piece, segment: 0 });
    }
    for (const piece of b ? [...b, mark("[SEP]")] : []) {
      tokens.push({ ...piece, segment: 1 });
    }
    return {
      tokens,
      ids: tokens.map((token) => token.id),
      segments: tokens.map((token) => token.segment),
      cut,
    };
  }

  /**
   * @param {string} piece
   * @param {number} start
   * @param {number} end
   * @returns {Piece}
   */
  #token(piece, start, end) {
    // every vocabulary has [UNK], so all that is asked for is there
    const id = /** @type {number} */ (this.ids.get(piece));
    return { piece, id, start, end, reach: end };
  }

  /** @param {Word} word */
  // --8<-- [start:longest-piece-first]
  // Split a word, from left to right, always into the longest known piece.
  #wordPieces({ chars, places, start, end }) {
    if (chars.length > LONGEST_WORD) return [this.#token("[UNK]", start, end)];
    const found = [];
    for (let from = 0; from < chars.length; ) {
      let to = Math.min(chars.length, from + this.longestPiece);
      let piece = "";
      for (; to > from; to--) {
        piece = (from ? "##" : "") + chars.slice(from, to).join("");
        if (this.ids.has(piece)) break;
      }
      // no piece fits: the whole word is unknown
      if (to === from) return [this.#token("[UNK]", start, end)];
      found.push(this.#token(piece, places[from][0], places[to - 1][1]));
      from = to;
    }
    return found;
  }
  // --8<-- [end:longest-piece-first]
}

/**
 * The words of a text: lower case, without accents, split at spaces, punctuation and Chinese
 * characters. A lower-case letter has the offset of the one that it came from.
 *
 * @param {string} text
 * @param {number} at The offset at which the text begins.
 * @returns {Generator<Word>}
 */
export function* words(text, at = 0) {
  let word = newWord();
  for (const char of text) {
    const place = [at, at + char.length];
    at += char.length;
    if (isControl(char)) continue;
    const alone = isChinese(char);
    if (alone || isSpace(char)) {
      if (word.chars.length) yield finished(word);
      word = newWord();
      if (!alone) continue;
    }
    for (const bare of takeApart(char)) {
      if (isAccent(bare)) continue;
      for (const lower of bare.toLowerCase()) {
        if (isPunctuation(lower)) {
          if (word.chars.length) yield finished(word);
          yield finished({ chars: [lower], places: [place] });
          word = newWord();
        } else {
          word.chars.push(lower);
          word.places.push(place);
        }
      }
    }
    if (alone) {
      if (word.chars.length) yield finished(word);
      word = newWord();
    }
  }
  if (word.chars.length) yield finished(word);
}

/**
 * How far the characters go, from `at` and at most `until`, that are dropped and are no space.
 * Information separators are spaces as well to Python, which the package follows.
 * @param {string} text
 * @param {number} at
 * @param {number} until
 */
function reach(text, at, until) {
  const isSeparator = (/** @type {string} */ char) =>
    char >= "\x1c" && char <= "\x1f";
  while (at < until && !isSpace(text[at]) && !isSeparator(text[at])) {
    const code = /** @type {number} */ (text.codePointAt(at)); // since at < until
    const char = String.fromCodePoint(code);
    if (!isControl(char) && ![...takeApart(char)].every(isAccent)) break;
    at += char.length;
  }
  return at;
}

/** @returns {{chars: string[], places: number[][]}} */
const newWord = () => ({ chars: [], places: [] });

/**
 * @param {{chars: string[], places: number[][]}} word
 * @returns {Word}
 */
const finished = (word) => ({
  ...word,
  start: word.places[0][0],
  end: word.places[word.places.length - 1][1],
});
