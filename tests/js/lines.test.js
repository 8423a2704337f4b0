import assert from "node:assert/strict";
import { test } from "node:test";
import { markup } from "./page.js";

const { h } = await import("../../docs/assets/widgets/dom.js");
const { cutIntoLines } = await import("../../docs/assets/widgets/lines.js");

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
