/**
 * Holds pages to the HTML standard: `validate.js FOLDER PAGE…` prints what is wrong as JSON.
 *
 * @typedef {object} Fault
 * @property {string} page
 * @property {number} line In the page, from 1.
 * @property {number} column
 * @property {string} rule
 * @property {string} message
 * @property {string} selector Of the element; may be empty.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { esmResolver, HtmlValidate, StaticConfigLoader } from "html-validate";

const STANDARD = {
  root: true,
  extends: ["html-validate:standard"],
  /** @type {import("html-validate").RuleConfig} */
  rules: { "no-missing-references": "error" },
};
const validator = new HtmlValidate(new StaticConfigLoader([esmResolver()], STANDARD));
const [folder, ...pages] = process.argv.slice(2);

/** @type {Fault[]} */
const faults = [];
for (const page of pages) {
  const { results } = await validator.validateString(await readFile(join(folder, page), "utf-8"));
  for (const { line, column, ruleId, message, selector } of results.flatMap((r) => r.messages)) {
    faults.push({ page, line, column, rule: ruleId, message, selector: selector ?? "" });
  }
}
process.stdout.write(JSON.stringify(faults));
