import assert from "node:assert/strict";
import { test } from "node:test";
import { markup } from "../page.js";

const { h } = await import("../../../docs/assets/widgets/dom.js");
const { cutIntoLines } = await import("../../../docs/assets/widgets/lines.js");

test("each line is a copy of the element, coloured parts are cut as well", () => {
  const code = h("code", { class: "py" }, "a = ", h("b", { id: "x" }, '"""one\ntwo"""'), "\nc");
  assert.deepEqual(cutIntoLines(code).map(markup), [
    '<code class="py">a = <b>"""one</b></code>',
    '<code class="py"><b>two"""</b></code>',
    '<code class="py">c</code>',
  ]);
});

test("empty lines are lines, too", () => {
  const lines = cutIntoLines(h("code", {}, "a\n\nb\n"));
  assert.deepEqual(
    lines.map(({ textContent }) => textContent),
    ["a", "", "b", ""],
  );
});

test("no line has an empty text in it", () => {
  const lines = cutIntoLines(h("code", {}, "a\n", h("b", {}, "b"), "\n", h("b", {}, "\nc")));
  assert.deepEqual(lines.map(markup), [
    "<code>a</code>",
    "<code><b>b</b></code>",
    "<code><b></b></code>",
    "<code><b>c</b></code>",
  ]);
  const texts = lines.flatMap(({ childNodes }) => [...childNodes]).filter((n) => n instanceof Text);
  assert.deepEqual(
    texts.map(({ data }) => data),
    ["a"],
  );
});
