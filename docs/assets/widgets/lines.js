/**
 * An element cut where its lines end: a copy of it for each line. The colours of the code stay.
 * @template {Element} Cut
 * @param {Cut} element
 * @returns {Cut[]}
 */
export function cutIntoLines(element) {
  const empty = () => {
    const copy = /** @type {Cut} */ (element.cloneNode());
    copy.removeAttribute("id"); // there is one of each id
    return copy;
  };
  let last = empty();
  const lines = [last];
  for (const child of element.childNodes) {
    partsOf(child).forEach((part, n) => {
      if (n) {
        last = empty();
        lines.push(last);
      }
      if (part) last.append(part);
    });
  }
  return lines;
}

/**
 * The lines of a text, or of an element of the code.
 * @param {Node} node
 */
function partsOf(node) {
  if (node instanceof Element) return cutIntoLines(node);
  return node instanceof Text ? node.data.split("\n") : [];
}
