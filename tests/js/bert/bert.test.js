import assert from "node:assert/strict";
import { test } from "node:test";
import { Bert } from "../../../docs/assets/bert/bert.js";

test("another activation than gelu is refused", () => {
  const config = {
    hidden_act: "relu",
    hidden_size: 2,
    layer_norm_eps: 1e-12,
    max_position_embeddings: 4,
    num_attention_heads: 1,
    num_hidden_layers: 0,
  };
  assert.throws(() => new Bert(new Map(), config), /relu is not gelu/);
  const bert = new Bert(new Map(), { ...config, hidden_act: "gelu" });
  assert.throws(
    () => bert.encode([0, 0, 0, 0, 0], [0, 0, 0, 0, 0]),
    /5 tokens, expected at most 4/,
  );
  assert.throws(() => bert.encode([0], [0]), /the model has no bert.embeddings.word_embeddings/);
});
