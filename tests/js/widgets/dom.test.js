import assert from "node:assert/strict";
import { test } from "node:test";
import { markup } from "../page.js";

const { h, whenQuiet } = await import("../../../docs/assets/widgets/dom.js");
const { bar, chip } = await import("../../../docs/assets/widgets/tokens.js");

test("attributes are set, set without a value, or left out; children are elements and text", () => {
  const made = h(
    "p",
    { class: "a", hidden: true, title: null, lang: false },
    "1",
    [h("b"), null],
    2,
  );
  assert.equal(markup(made), '<p class="a" hidden="">1<b></b>2</p>');
});

test("an attribute that begins with on is a listener", () => {
  let pressed = 0;
  const button = h("button", { onclick: () => pressed++ });
  button.dispatchEvent(new Event("click"));
  assert.equal(pressed, 1);
  assert.equal(markup(button), "<button></button>");
});

test("what waits for quiet is done once", async () => {
  let done = 0;
  const soon = whenQuiet(() => done++, 5);
  soon();
  soon();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(done, 1);
});

test("a token shows what the model sees beside what was there", () => {
  assert.equal(
    markup(chip({ piece: "goat", seen: "[MASK]", fate: "masked", segment: 1 })),
    '<span class="token masked segment-b">' +
      '<i role="img" aria-label="masked" title="masked">▢</i> <b>[MASK]</b> <s>goat</s></span>',
  );
  assert.equal(
    markup(chip({ piece: "[SEP]", structural: true })),
    '<span class="token structural">[SEP]</span>',
  );
});

test("a bar says its name and its number", () => {
  assert.equal(bar("goat", 0.5, "50%").textContent, "goat50%");
});
