/** For test_heads.py. */

/**
 * Keys that are pressed within a moment, each where the last one has led.
 * @param {Element} _
 * @param {string[]} keys
 */
export function press(_, keys) {
  for (const key of keys) {
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  }
}

/**
 * A text without the letters that say what its entities are.
 * @param {Element} text
 */
export function withoutKinds(text) {
  const copy = /** @type {Element} */ (text.cloneNode(true));
  for (const kind of copy.querySelectorAll("b")) kind.remove();
  return copy.textContent.replaceAll("\u00a0", "");
}
