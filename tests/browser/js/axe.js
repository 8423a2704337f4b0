/** For the tests of any page: what axe-core finds in it. */

/** @returns {any} axe-core, once the page has been given its script. */
const axe = () => /** @type {any} */ (globalThis).axe;

/** What decides the contrast of an element's own text: its look, and what is painted behind it. */
function lookOf(/** @type {Element} */ element) {
  const { color, fontSize, fontWeight } = getComputedStyle(element);
  const look = [color, fontSize, fontWeight];
  for (let at = /** @type {Element | null} */ (element); at; at = at.parentElement) {
    const { backgroundColor, backgroundImage, opacity, position } = getComputedStyle(at);
    look.push(backgroundColor, backgroundImage, opacity, position);
  }
  const plain = ["rgba(0, 0, 0, 0)", "none", "1", "static", "relative"];
  return look.filter((value) => !plain.includes(value)).join();
}

const hasText = (/** @type {Element} */ element) =>
  [...element.childNodes].some(
    (node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim(),
  );

/**
 * The violations of its rules in a part of the page, as it is shown now.
 *
 * Contrast takes axe three quarters of its time: it asks of each token of the code what is painted
 * behind it. One text of each look answers for the others.
 * @param {Element} part
 */
export async function violations(part) {
  const looks = new Map();
  for (const element of document.querySelectorAll("body *")) {
    element.removeAttribute("data-look");
    if (part.contains(element) && hasText(element) && element.checkVisibility()) {
      looks.set(lookOf(element), element);
    }
  }
  for (const element of looks.values()) element.setAttribute("data-look", "");
  axe().configure({ rules: [{ id: "color-contrast", selector: "[data-look]" }] });
  const { violations: found } = await axe().run(part, { resultTypes: ["violations"] });
  return found.map((/** @type {any} */ { id, help, nodes }) => {
    const targets = nodes.map((/** @type {any} */ { target }) => target.join(" "));
    return `${id}: ${help}: ${targets.join(", ")}`;
  });
}
