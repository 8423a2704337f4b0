/** Marked words in a text. */
import { h } from "../dom.js";

/**
 * The text with these parts marked.
 * @param {string} text
 * @param {import("../../bert/decode.js").Span[]} spans From left to right.
 */
export function withMarks(text, spans) {
  let at = 0;
  const parts = spans.flatMap(({ start, end }) => {
    const before = text.slice(at, start);
    at = end;
    return [before, h("mark", {}, text.slice(start, end))];
  });
  return [...parts, text.slice(at)];
}
