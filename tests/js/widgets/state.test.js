import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import "../page.js";

const {
  addressOf,
  anythingRemembered,
  forgetAll,
  onRemembered,
  remember,
  remembered,
  stateFromAddress,
} = await import("../../../docs/assets/widgets/state.js");

beforeEach(forgetAll);

test("the address brings a state for one widget alone", () => {
  const state = stateFromAddress("fill-in");
  assert.deepEqual(state && [...state], [
    ["text", "one two"],
    ["hidden", "1"],
  ]);
  assert.equal(stateFromAddress("fill"), null);
  assert.equal(addressOf("fill-in", { text: "a & b", seed: 3 }), "#fill-in?text=a+%26+b&seed=3");
});

test("what is remembered is found again, until everything is forgotten", () => {
  assert.equal(anythingRemembered(), false);
  assert.equal(remembered("a", "nothing"), "nothing");
  remember("a", { n: [1] });
  assert.deepEqual(remembered("a", null), { n: [1] });
  assert.equal(anythingRemembered(), true);
  forgetAll();
  assert.equal(remembered("a", "nothing"), "nothing");
});

test("what a browser refuses to keep is kept until the page is left", () => {
  remember("a", "too long");
  assert.equal(localStorage.getItem("bertlesson:a"), null);
  assert.equal(remembered("a", ""), "too long");
  assert.equal(anythingRemembered(), true);
});

test("rubbish is as good as nothing, and what is not ours stays", () => {
  localStorage.setItem("bertlesson:a", "{");
  localStorage.setItem("other", "1");
  assert.equal(remembered("a", "nothing"), "nothing");
  forgetAll();
  assert.equal(localStorage.getItem("other"), "1");
});

test("listeners hear what was remembered", () => {
  /** @type {(string | null)[]} */
  const heard = [];
  onRemembered((name) => heard.push(name));
  remember("a", 1);
  forgetAll();
  assert.deepEqual(heard, ["a", null]);
});
