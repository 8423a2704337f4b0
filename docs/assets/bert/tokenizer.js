/**
 * WordPiece, as BERT's uncased models use it: text in, pieces with their ids and offsets out.
 *
 * Follows google-research/bert, `tokenization.py`, and gives what `tokenizers` gives (a test
 * compares them). Offsets are counted in JavaScript's characters: `text.slice(start, end)`.
 */
import { isAccent, isChinese, isControl, isPunctuation, isSpace, takeApart } from "./unicode.js";

const LONGEST_WORD = 100; // characters; a longer word is unknown

export class Tokenizer {
  /** @param {string[]} vocab The pieces, in the order of their ids. */
  constructor(vocab) {
    this.pieces = vocab;
    this.ids = new Map(vocab.map((piece, id) => [piece, id]));
    this.longestPiece = Math.max(...vocab.map((piece) => piece.length));
    this.special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].filter((t) => this.ids.has(t));
  }

  /**
   * The pieces of a text, without [CLS] and [SEP].
   * @returns {{piece: string, id: number, start: number, end: number, reach: number}[]} `reach` is
   *   where the characters end that were dropped behind a piece, such as the accent of its letter.
   */
  tokenize(text) {
    const found = [];
    let at = 0;
    // a structural token that is written out, such as [MASK], stays what it is
    for (const part of text.split(/(\[(?:PAD|UNK|CLS|SEP|MASK)\])/)) {
      if (this.special.includes(part)) found.push(this.#token(part, at, at + part.length));
      else for (const word of words(part, at)) found.push(...this.#wordPieces(word));
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
   * @returns {{tokens: object[], ids: number[], segments: number[], cut: boolean}} Tokens also say
   *   their `segment` (0 is A, 1 is B) and whether they are `structural`.
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
    const mark = (piece) => ({ ...this.#token(piece, 0, 0), reach: 0, structural: true });
    const tokens = [mark("[CLS]"), ...a, mark("[SEP]")].map((token) => ({ ...token, segment: 0 }));
    if (b) tokens.push(...[...b, mark("[SEP]")].map((token) => ({ ...token, segment: 1 })));
    return {
      tokens,
      ids: tokens.map((token) => token.id),
      segments: tokens.map((token) => token.segment),
      cut,
    };
  }

  #token(piece, start, end) {
    return { piece, id: this.ids.get(piece), start, end };
  }

  // --8<-- [start:longest-piece-first]
  /** Split a word, from left to right, always into the longest known piece. */
  #wordPieces({ chars, places, start, end }) {
    if (chars.length > LONGEST_WORD) return [this.#token("[UNK]", start, end)];
    const found = [];
    for (let from = 0; from < chars.length; ) {
      let to = Math.min(chars.length, from + this.longestPiece);
      let piece;
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
 * @param {number} at The offset at which the text begins.
 * @returns {Generator<{chars: string[], places: number[][], start: number, end: number}>}
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
 */
function reach(text, at, until) {
  while (at < until && !isSpace(text[at]) && !/[\x1c-\x1f]/.test(text[at])) {
    const char = String.fromCodePoint(text.codePointAt(at));
    if (!isControl(char) && ![...takeApart(char)].every(isAccent)) break;
    at += char.length;
  }
  return at;
}

const newWord = () => ({ chars: [], places: [] });

const finished = (word) => ({ ...word, start: word.places[0][0], end: word.places.at(-1)[1] });
