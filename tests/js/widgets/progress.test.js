import assert from "node:assert/strict";
import { test } from "node:test";
import "../page.js";

const { markOf, pageName } = await import("../../../docs/assets/widgets/progress.js");

test("a page's name is its path below the site's root", () => {
  const root = new URL("https://lesson.test/bert/");
  /** @param {string} path */
  const name = (path) => pageName(`https://lesson.test${path}`, root);
  assert.equal(name("/bert/lesson/masking.html#top"), "lesson/masking");
  assert.equal(name("/bert/"), "index");
  assert.equal(name("/bert/practice/"), "practice/index");
  assert.equal(name("/other/lesson/masking.html"), "");
  assert.equal(pageName("https://elsewhere.test/bert/", root), "");
});

test("a page is marked as read, or with how much of it is done", () => {
  assert.equal(markOf(null, false), null);
  assert.deepEqual(markOf({}, true), ["✓", "read"]);
  assert.deepEqual(markOf({ done: 2, of: 9 }, true), ["2/9", "2 of 9"]);
  assert.deepEqual(markOf({ done: 9, of: 9 }, false), ["✓", "done"]);
  assert.deepEqual(markOf({ done: 0, of: 9 }, false), null);
});
