// @ts-nocheck: its types are still to be written
/** Elements made of plain data. What a reader types goes in as text, never as markup. */

/**
 * An element: `h("button", { class: "quiet", onclick: draw }, "Draw again")`.
 *
 * Attributes that begin with `on` are listeners, `true` sets an attribute without a value, and
 * `false` or null leaves it out. Children are elements, or text.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

/** Calls the function once nothing has happened for a while: while a reader types, say. */
export function whenQuiet(action, milliseconds = 250) {
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

/** Says something to readers who do not see the page. */
export function announce(text) {
  voice.textContent = "";
  requestAnimationFrame(() => (voice.textContent = text));
}

/** A number with a fixed count of decimals: 0.31, 2.40. */
export const fixed = (number, digits = 2) => number.toFixed(digits);

/** A probability in percent; none is shown as impossible or certain. */
export function probability(share, digits = 1) {
  const least = 10 ** -digits;
  if (100 * share < least / 2) return `<${least}%`;
  return 100 * (1 - share) < least / 2 ? `>${100 - least}%` : percent(share, digits);
}

export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;
