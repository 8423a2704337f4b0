/**
 * A model's weights with their gradients, and each layer by its name, forward and backward. What a
 * layer makes stays in its buffer until the next step.
 */
import { layerNormBackward, linearBackward } from "./backward.js";
import { Buffers } from "./buffers.js";
import { layerNorm, linear } from "./layers.js";
import { transpose } from "./products.js";

/** @typedef {import("./bert.js").Config} Config */
/** @typedef {import("./layers.js").Vectors} Vectors */
/** @typedef {import("./safetensors.js").Tensor} Tensor */

export class Weights {
  /**
   * @param {Map<string, Tensor>} tensors By their names in transformers.
   * @param {Config} config
   */
  constructor(tensors, config) {
    this.tensors = tensors;
    this.config = config;
    this.buffers = new Buffers();
    /** @type {Map<string, Float32Array>} Of the shapes of the tensors. */
    this.gradients = new Map();
    for (const [name, { data }] of tensors) {
      this.gradients.set(name, new Float32Array(data.length));
    }
  }

  /** Sets all gradients to zero. */
  clear() {
    for (const gradient of this.gradients.values()) gradient.fill(0);
  }

  /**
   * @param {string} name
   * @param {Vectors} vectors `(length, width)`
   */
  linear(name, vectors) {
    return this.scores(name, vectors, `${name}.weight`, `${name}.bias`);
  }

  /**
   * A linear layer whose weight has a name of its own, as the decoder's.
   * @param {string} name
   * @param {Vectors} vectors `(length, width)`
   * @param {string} weightName
   * @param {string} biasName
   */
  scores(name, vectors, weightName, biasName) {
    const [weight, bias] = [this.weight(weightName), this.weight(biasName)];
    const width = weight.length / bias.length;
    const turned = transpose(weight, width, this.buffers.take("turned", weight.length));
    const made = this.buffers.take(name, (vectors.length / width) * bias.length);
    return linear(vectors, turned, bias, made);
  }

  /**
   * @param {string} name
   * @param {Vectors} dMade `(length, outputs)`
   * @param {Vectors} vectors `(length, width)`: what the layer was given
   * @param {Vectors} dVectors `(length, width)`, added to
   */
  linearBackward(name, dMade, vectors, dVectors) {
    this.scoresBackward(dMade, vectors, dVectors, `${name}.weight`, `${name}.bias`);
  }

  /**
   * @param {Vectors} dMade `(length, outputs)`
   * @param {Vectors} vectors `(length, width)`: what the layer was given
   * @param {Vectors} dVectors `(length, width)`, added to
   * @param {string} weightName
   * @param {string} biasName
   */
  scoresBackward(dMade, vectors, dVectors, weightName, biasName) {
    const [dWeight, dBias] = [this.gradient(weightName), this.gradient(biasName)];
    linearBackward(dMade, vectors, this.weight(weightName), dVectors, dWeight, dBias);
  }

  /**
   * @param {string} name
   * @param {Vectors} vectors `(length, width)`
   */
  layerNorm(name, vectors) {
    const made = this.buffers.take(name, vectors.length);
    const [scale, shift] = [this.weight(`${name}.weight`), this.weight(`${name}.bias`)];
    return layerNorm(vectors, scale, shift, this.config.layer_norm_eps, made);
  }

  /**
   * @param {string} name
   * @param {Vectors} dMade `(length, width)`, overwritten with the gradient of the vectors
   * @param {Vectors} vectors `(length, width)`: what the layer was given
   */
  layerNormBackward(name, dMade, vectors) {
    const scale = this.weight(`${name}.weight`);
    const [dScale, dShift] = [this.gradient(`${name}.weight`), this.gradient(`${name}.bias`)];
    const epsilon = this.config.layer_norm_eps;
    layerNormBackward(dMade, vectors, scale, epsilon, dMade, dScale, dShift);
  }

  /** @param {string} name */
  weight(name) {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new Error(`the model has no ${name}`);
    return tensor.data;
  }

  /** @param {string} name */
  gradient(name) {
    const gradient = this.gradients.get(name);
    if (!gradient) throw new Error(`the model has no ${name}`);
    return gradient;
  }
}
