/** Lines of code as the page shows them further down, so that they stand in one place alone. */
import { h } from "../dom.js";

/**
 * The lines of this section of examples/trace.py that begin so, each with all lines it goes on in.
 *
 * @param {string} section As in the title of its block.
 * @param {string[]} beginnings
 * @returns {{id: string, nodes: Node[], text: string}[]} With the id of the line's anchor.
 */
function findCode(section, beginnings) {
  const titles = [...document.querySelectorAll(".highlight:not(.stepper-code) > .filename")];
  const title = titles.find(({ textContent }) => textContent === `examples/trace.py: ${section}`);
  const lines = linesOf(title?.parentElement.querySelector("code"));
  return beginnings.flatMap((beginning) => {
    const first = lines.findIndex(({ text }) => text.trimStart().startsWith(beginning));
    return first < 0 ? [] : statement(lines, first);
  });
}

/** Each line begins with an anchor. */
function linesOf(code) {
  const lines = [];
  for (const node of code?.childNodes ?? []) {
    if (node.nodeName === "A") lines.push({ id: node.id, nodes: [], text: "" });
    else if (lines.length) {
      lines.at(-1).nodes.push(node);
      lines.at(-1).text += node.textContent;
    }
  }
  return lines;
}

/** A statement goes on while a bracket is open. */
function statement(lines, first) {
  let open = 0;
  for (let end = first; end < lines.length; end++) {
    for (const char of lines[end].text) open += "([{".includes(char) - ")]}".includes(char);
    if (open <= 0) return lines.slice(first, end + 1);
  }
  return [];
}

/** The lines once more, with a link to where they stand; null if the page does not show them. */
export function codeBlock({ section, lines: beginnings }) {
  const lines = findCode(section, beginnings);
  if (!lines.length) return null;
  const indent = Math.min(...lines.map(({ text }) => text.search(/\S/)));
  const link = h("a", { href: `#${lines[0].id}` }, `examples/trace.py: ${section}`);
  return h(
    "div",
    { class: "highlight stepper-code" },
    h("span", { class: "filename" }, link),
    h(
      "pre",
      {},
      h(
        "code",
        {},
        lines.map((line) => copyOf(line, indent)),
      ),
    ),
  );
}

function copyOf({ nodes }, indent) {
  const copy = h(
    "span",
    { class: "line" },
    nodes.map((node) => node.cloneNode(true)),
  );
  // what the statement is set in by, as part of a loop, it loses here
  const first = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT).nextNode();
  if (first) first.data = first.data.slice(indent);
  return copy;
}
