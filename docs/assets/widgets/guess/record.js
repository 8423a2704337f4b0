/** On the page of all claims: the switch, all guesses in a sentence, and each beside its claim. */
import { announce, h } from "../dom.js";
import { onRemembered, remembered } from "../state.js";
import { switchButton } from "./switch.js";

/** @param {HTMLElement} host */
export async function record(host) {
  /** @type {HTMLElement[]} */
  const claims = [...document.querySelectorAll(".claim")].flatMap((claim) =>
    claim instanceof HTMLElement && claim.querySelector("data:not(.again)") ? [claim] : [],
  );
  const nothing = `You have guessed none of the ${claims.length} numbers.`;
  const sum = h("p", { tabindex: -1 }, nothing);
  const again = h("button", { type: "button", class: "quiet", onclick: forget }, "Start over");
  const turn = switchButton((on) => {
    announce(on ? "Pages now ask for the numbers first." : "Pages now show the numbers at once.");
  });
  again.hidden = true;
  await draw();
  host.append(sum, h("div", { class: "widget-buttons" }, turn, again));
  onRemembered(draw);
  addEventListener("storage", draw); // another window may have changed it
  addEventListener("pageshow", ({ persisted }) => persisted && draw());

  /** Nothing more is fetched where nothing was guessed. */
  async function draw() {
    const isNew = !Object.keys(Object(remembered("guesses", {}))).length;
    const { readGuesses, summaryOf, verdictOn } = isNew ? NOTHING : await import("./tally.js");
    const kept = readGuesses();
    const here = claims.flatMap(({ id }) => kept.get(id) ?? []);
    sum.textContent = here.length ? summaryOf(here, claims.length) : nothing;
    again.hidden = !here.length;
    for (const claim of claims) {
      claim.querySelector(".guessed")?.remove();
      const entry = kept.get(claim.id);
      if (entry) claim.append(h("span", { class: "guessed" }, ` ${verdictOn(entry)}`));
    }
  }

  async function forget() {
    const { forgetGuesses } = await import("./tally.js");
    forgetGuesses();
    sum.focus(); // the button has gone
    announce("Your guesses were forgotten.");
  }
}

/** @type {Pick<typeof import("./tally.js"), "readGuesses" | "summaryOf" | "verdictOn">} */
const NOTHING = { readGuesses: () => new Map(), summaryOf: () => "", verdictOn: () => "" };
