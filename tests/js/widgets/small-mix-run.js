/**
 * Runs the small mix as test_small_mix.py asks: `node small-mix-run.js FOLDER`, where material.json
 * is the build's file, and request.json says what to run. Leaves result.json there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { runCourse } from "../../../docs/assets/bert/course.js";
import { seededDraws } from "../../../docs/assets/bert/masking.js";
import { useSimd } from "../../../docs/assets/bert/products.js";
import { gather, prepare } from "../../../docs/assets/widgets/small-mix/run.js";

const folder = process.argv[2];
/** @param {string} name */
const read = (name) => JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8"));
const { recipe, seed, simd } = read("request");
if (simd && !(await useSimd())) throw new Error("WebAssembly was refused");
const { bert, task } = prepare(read("material"), recipe, seed);
/** @type {import("../../../docs/assets/widgets/small-mix/model.js").Point[]} */
const points = [];
await runCourse(
  { ...task, tensors: bert.tensors, config: bert.config },
  gather((point) => points.push(point)),
  async () => false,
);
const draws = Array.from({ length: 1000 }, seededDraws(seed));
writeFileSync(`${folder}/result.json`, JSON.stringify({ points, draws }));
