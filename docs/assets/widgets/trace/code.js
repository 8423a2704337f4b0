/** Lines of code copied from further down the page, so that they are written only once. */
import { h } from "../dom.js";
import { cutIntoLines } from "../lines.js";

/**
 * The lines once more, with a link to their block; null if the page does not show them.
 * @param {{section: string, lines: string[]}} step
 */
export function codeBlock({ section, lines: beginnings }) {
  const title = `examples/trace.py: ${section}`;
  const block = blockOf(title);
  const code = block?.querySelector("code");
  const lines = code ? findLines(cutIntoLines(code), beginnings) : [];
  if (!block || !lines.length) return null;
  block.id ||= `code-of-${section.replaceAll(" ", "-")}`;
  const indent = Math.min(...lines.map(({ textContent }) => textContent.search(/\S/)));
  const link = h("a", { href: `#${block.id}` }, title);
  return h(
    "div",
    { class: "highlight trace-code" },
    h("span", { class: "filename" }, link),
    h("pre", {}, h("code", {}, ...lines.map((line) => shifted(line, indent)))),
  );
}

/**
 * The block of the page with this title.
 * @param {string} title
 */
function blockOf(title) {
  const titles = [...document.querySelectorAll(".highlight:not(.trace-code) > .filename")];
  return titles.find(({ textContent }) => textContent === title)?.parentElement;
}

/**
 * The lines that begin so, each with all lines that it goes on in.
 * @template {{textContent: string}} Line
 * @param {Line[]} lines
 * @param {string[]} beginnings
 */
export function findLines(lines, beginnings) {
  return beginnings.flatMap((beginning) => {
    const first = lines.findIndex(({ textContent }) =>
      textContent.trimStart().startsWith(beginning),
    );
    return first < 0 ? [] : statement(lines, first);
  });
}

/**
 * A statement goes on while a bracket is open.
 * @template {{textContent: string}} Line
 * @param {Line[]} lines
 * @param {number} first
 */
function statement(lines, first) {
  let open = 0;
  for (let end = first; end < lines.length; end++) {
    for (const char of lines[end].textContent) {
      if ("([{".includes(char)) open += 1;
      else if (")]}".includes(char)) open -= 1;
    }
    if (open <= 0) return lines.slice(first, end + 1);
  }
  return [];
}

/**
 * A line as it is shown. Inside a loop it is indented; here it is not.
 * @param {Element} line
 * @param {number} indent
 */
function shifted(line, indent) {
  const first = document.createTreeWalker(line, NodeFilter.SHOW_TEXT).nextNode();
  if (first instanceof Text) first.data = first.data.slice(indent);
  return h("span", { class: "line" }, ...line.childNodes);
}
