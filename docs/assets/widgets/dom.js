/** Elements made of plain data. What a reader types goes in as text, never as markup. */

/** @typedef {Node | string | number | null | undefined} Child */

/**
 * An element: `h("button", { class: "quiet", onclick: draw }, "Draw again")`.
 *
 * Attributes that begin with `on` are listeners, `true` sets an attribute without a value, and
 * `false` or null leaves it out. Children are elements, or text.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} attributes
 * @param {(Child | Child[])[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  for (const child of children.flat()) {
    if (child != null) element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/**
 * Calls the function once nothing has happened for a while: while a reader types, say.
 * @param {() => void} action
 */
export function whenQuiet(action, milliseconds = 250) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
}

/** Lets the browser do what has waited: scroll, paint, answer a key. */
export const breath = () => new Promise((resolve) => setTimeout(resolve));

// It is there before it speaks: screen readers miss the first words of a region that is new.
const voice = h("div", { "aria-live": "polite", role: "status", class: "widget-voice" });
document.body.append(voice);

/**
 * Says something to readers who do not see the page.
 * @param {string} text
 */
export function announce(text) {
  voice.textContent = "";
  requestAnimationFrame(() => {
    voice.textContent = text;
  });
}
