/** Weights to start from: a new head on a pretrained encoder, or all of them random. */
import { Bert } from "./bert.js";

/** @typedef {import("./safetensors.js").Tensor} Tensor */
/** @typedef {() => number} Draw Numbers from 0 up to 1, as `seededDraws` of masking.js gives them. */
/**
 * What decides the shapes of the weights.
 * @typedef {import("./bert.js").Config & {vocab_size: number, intermediate_size: number}} Sizes
 */

const RANGE = 0.02; // BERT's standard deviation of new weights

/**
 * A model with the encoder of another one, and a new head in place of the heads that it has.
 * @param {Bert} bert
 * @param {string} head One of `losses.js`.
 * @param {number} classes Two or more; only for `classify` and `labelTokens`.
 * @param {Draw} draw
 * @param {number} [range] The standard deviation of the new weights.
 */
export function withNewHead(bert, head, classes, draw, range = RANGE) {
  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  for (const [name, tensor] of bert.tensors) {
    if (name.startsWith("bert.")) tensors.set(name, tensor);
  }
  const width = bert.config.hidden_size;
  for (const [name, shape] of headShapes(head, classes, width)) {
    tensors.set(name, newTensor(name, shape, draw, range));
  }
  return new Bert(tensors, bert.config);
}

/**
 * A model that has learned nothing yet.
 * @param {Sizes} config
 * @param {string} head
 * @param {number} classes
 * @param {Draw} draw
 * @param {number} [range] The standard deviation of the weights.
 */
export function randomBert(config, head, classes, draw, range = RANGE) {
  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  for (const [name, shape] of encoderShapes(config)) {
    if (head === "maskedLM" && name.startsWith("bert.pooler.")) continue; // it is not used
    tensors.set(name, newTensor(name, shape, draw, range));
  }
  if (head !== "pretrain" && head !== "maskedLM") {
    return withNewHead(new Bert(tensors, config), head, classes, draw, range);
  }
  const { hidden_size: width, vocab_size: pieces } = config;
  const shapes = [
    ...linearShapes("cls.predictions.transform.dense", width, width),
    ...normShapes("cls.predictions.transform.LayerNorm", width),
    /** @type {[string, number[]]} */ (["cls.predictions.bias", [pieces]]),
    ...(head === "pretrain" ? linearShapes("cls.seq_relationship", 2, width) : []),
  ];
  for (const [name, shape] of shapes) tensors.set(name, newTensor(name, shape, draw, range));
  return new Bert(tensors, config);
}

/**
 * @param {string} head
 * @param {number} classes
 * @param {number} width
 */
function headShapes(head, classes, width) {
  if (head === "spans") return linearShapes("qa_outputs", 2, width);
  if (head === "nextSentence") return linearShapes("cls.seq_relationship", 2, width);
  if (head !== "classify" && head !== "labelTokens") {
    throw new Error(`${head} is no head of fine-tuning; expected classify, labelTokens or spans`);
  }
  if (!(classes >= 2)) throw new Error(`${classes} classes; expected 2 or more`);
  return linearShapes("classifier", classes, width);
}

/** @param {Sizes} config */
function encoderShapes(config) {
  const { hidden_size: width, intermediate_size: inner, max_position_embeddings: longest } = config;
  /** @type {[string, number[]][]} */
  const shapes = [
    ["bert.embeddings.word_embeddings.weight", [config.vocab_size, width]],
    ["bert.embeddings.position_embeddings.weight", [longest, width]],
    ["bert.embeddings.token_type_embeddings.weight", [2, width]],
    ...normShapes("bert.embeddings.LayerNorm", width),
  ];
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const name = `bert.encoder.layer.${layer}`;
    for (const part of ["self.query", "self.key", "self.value", "output.dense"]) {
      shapes.push(...linearShapes(`${name}.attention.${part}`, width, width));
    }
    shapes.push(
      ...normShapes(`${name}.attention.output.LayerNorm`, width),
      ...linearShapes(`${name}.intermediate.dense`, inner, width),
      ...linearShapes(`${name}.output.dense`, width, inner),
      ...normShapes(`${name}.output.LayerNorm`, width),
    );
  }
  return [...shapes, ...linearShapes("bert.pooler.dense", width, width)];
}

/** @type {(name: string, outputs: number, width: number) => [string, number[]][]} */
const linearShapes = (name, outputs, width) => [
  [`${name}.weight`, [outputs, width]],
  [`${name}.bias`, [outputs]],
];

/** @type {(name: string, width: number) => [string, number[]][]} */
const normShapes = (name, width) => [
  [`${name}.weight`, [width]],
  [`${name}.bias`, [width]],
];

/**
 * @param {string} name
 * @param {number[]} shape
 * @param {Draw} draw
 * @param {number} range
 * @returns {Tensor}
 */
function newTensor(name, shape, draw, range) {
  const data = new Float32Array(shape.reduce((product, axis) => product * axis, 1));
  if (name.endsWith("LayerNorm.weight")) data.fill(1);
  else if (!name.endsWith("bias")) {
    // two uniform draws make a normal one (Box and Muller)
    for (let k = 0; k < data.length; k++) {
      const far = Math.sqrt(-2 * Math.log(1 - draw()));
      data[k] = range * far * Math.cos(2 * Math.PI * draw());
    }
  }
  return { shape, data };
}
