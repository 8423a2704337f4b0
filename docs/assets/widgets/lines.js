// @ts-nocheck: its types are still to be written
/** A node cut where its lines end: a copy of it for each line. The colours of the code stay. */
export function cutIntoLines(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data.split("\n").map((text) => new Text(text));
  const empty = () => {
    const copy = node.cloneNode();
    copy.removeAttribute("id"); // there is one of each id
    return copy;
  };
  const lines = [empty()];
  for (const child of node.childNodes) {
    const [first, ...others] = cutIntoLines(child);
    lines.at(-1).append(first);
    for (const other of others) {
      lines.push(empty());
      lines.at(-1).append(other);
    }
  }
  return lines;
}
