/**
 * The page's side of browser.py: for each line of input, which says what to do, a line with the
 * milliseconds that it took. `node browser.js FOLDER` reads the model that browser.py has left there.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Bert } from "../docs/assets/bert/bert.js";
import { usePlain, useSimd } from "../docs/assets/bert/products.js";
import { parseSafetensors } from "../docs/assets/bert/safetensors.js";
import { Trainer } from "../docs/assets/bert/trainer.js";

const folder = process.argv[2];
const { config, texts } = JSON.parse(readFileSync(`${folder}/request.json`, "utf8"));
/** @param {string} name */
const read = (name) => {
  const { buffer } = new Uint8Array(readFileSync(`${folder}/${name}.safetensors`));
  return new Bert(parseSafetensors(buffer).tensors, config);
};
const bert = read("pretrained");
const trainer = new Trainer(read("sentiment"), "classify", { learningRate: 1e-4, steps: 1e6 });

for await (const line of createInterface(process.stdin)) {
  const [how, what] = line.split(" ");
  if (how === "plain") usePlain();
  else if (!(await useSimd())) throw new Error("WebAssembly was refused");
  const start = performance.now();
  if (what === "step") trainer.step(texts);
  else {
    const ids = new Array(Number(what)).fill(7);
    const zeros = ids.map(() => 0);
    bert.maskedLM(bert.encode(ids, zeros), [1]);
  }
  console.log(performance.now() - start);
}
