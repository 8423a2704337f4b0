/**
 * Looks words up in a dictionary of British English: `spelling.js` reads
 * `{"words": […], "suggest": false}` as JSON and prints the unknown words, each with the words that
 * may be meant if `suggest` is true.
 */

import process from "node:process";
import { text } from "node:stream/consumers";
import dictionary from "dictionary-en-gb";
import nspell from "nspell";

const speller = nspell(Buffer.from(dictionary.aff), Buffer.from(dictionary.dic));
/** @type {{words: string[], suggest: boolean}} */
const { words, suggest } = JSON.parse(await text(process.stdin));
const unknown = words.filter((word) => !speller.correct(word));
const found = unknown.map((word) => [word, suggest ? speller.suggest(word).slice(0, 3) : []]);
process.stdout.write(JSON.stringify(Object.fromEntries(found)));
