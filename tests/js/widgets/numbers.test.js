import assert from "node:assert/strict";
import { test } from "node:test";
import { fixed, percent, probability } from "../../../docs/assets/widgets/numbers.js";

test("no probability is shown as impossible or certain", () => {
  assert.deepEqual(
    [0.5, 0.00049, 0.0005, 0.9996, 0].map((share) => probability(share)),
    ["50.0%", "<0.1%", "0.1%", ">99.9%", "<0.1%"],
  );
  assert.equal(probability(0.004, 0), "<1%");
  assert.equal(percent(0.256), "26%");
  assert.equal(fixed(2.399), "2.40");
});
