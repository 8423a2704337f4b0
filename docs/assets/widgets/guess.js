/**
 * Guess first: the claims of a page ask for their numbers before they show them.
 *
 * Nothing changes until the reader switches it on, below the first claims of any page. On the page
 * that lists all claims, each says how far off the guess was.
 */
import { h } from "./dom.js";
import { isOn, switchButton } from "./guess/switch.js";

/** @param {HTMLElement} [host] On the page that lists all claims. */
export async function mount(host) {
  if (host) {
    const { record } = await import("./guess/record.js");
    await record(host);
    return;
  }
  const first = document.querySelector(".claims:has(data)");
  if (!first) return;
  first.after(h("div", { class: "guess-switch" }, switchButton(follow)));
  if (isOn()) await follow(true);
}

/** @param {boolean} on */
async function follow(on) {
  const { ask, stop } = await import("./guess/questions.js");
  if (on) ask();
  else stop();
}
