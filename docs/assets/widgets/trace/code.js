// @ts-nocheck: its types are still to be written
/** Lines of code copied from further down the page, so that they are written only once. */
import { h } from "../dom.js";
import { cutIntoLines } from "../lines.js";

/** The lines once more, with a link to their block; null if the page does not show them. */
export function codeBlock({ section, lines: beginnings }) {
  const block = blockOf(section);
  const lines = block ? findLines(block.querySelector("code"), beginnings) : [];
  if (!lines.length) return null;
  block.id ||= `code-of-${section.replaceAll(" ", "-")}`;
  const indent = Math.min(...lines.map(({ textContent }) => textContent.search(/\S/)));
  const link = h("a", { href: `#${block.id}` }, `examples/trace.py: ${section}`);
  const code = h(
    "code",
    {},
    lines.map((line) => copyOf(line, indent)),
  );
  return h(
    "div",
    { class: "highlight trace-code" },
    h("span", { class: "filename" }, link),
    h("pre", {}, code),
  );
}

/** The block of the page that shows this section of examples/trace.py. */
function blockOf(section) {
  const titles = [...document.querySelectorAll(".highlight:not(.trace-code) > .filename")];
  const title = titles.find(({ textContent }) => textContent === `examples/trace.py: ${section}`);
  return title?.parentElement;
}

/** The lines that begin so, each with all lines that it goes on in. */
function findLines(code, beginnings) {
  const lines = cutIntoLines(code);
  return beginnings.flatMap((beginning) => {
    const isFirst = ({ textContent }) => textContent.trimStart().startsWith(beginning);
    const first = lines.findIndex(isFirst);
    return first < 0 ? [] : statement(lines, first);
  });
}

/** A statement goes on while a bracket is open. */
function statement(lines, first) {
  let open = 0;
  for (let end = first; end < lines.length; end++) {
    const { textContent } = lines[end];
    for (const char of textContent) open += "([{".includes(char) - ")]}".includes(char);
    if (open <= 0) return lines.slice(first, end + 1);
  }
  return [];
}

function copyOf(line, indent) {
  const copy = h("span", { class: "line" }, [...line.cloneNode(true).childNodes]);
  // inside a loop the statement is indented; here it is not
  const texts = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
  let first = texts.nextNode();
  while (first && !first.data) first = texts.nextNode();
  if (first) first.data = first.data.slice(indent);
  return copy;
}
