/** The one switch, which is remembered; all that a page needs before it is on. */
import { h } from "../dom.js";
import { remember, remembered } from "../state.js";

const SWITCH = "guess-first";

export const isOn = () => remembered(SWITCH, false) === true;

/** @param {(on: boolean) => void} onSwitch */
export function switchButton(onSwitch) {
  const pressed = () => ({ "aria-pressed": String(isOn()) });
  const button = h("button", { type: "button", ...pressed(), onclick }, "Guess first");
  button.title = "Hides the claims' numbers until you have guessed them";

  function onclick() {
    remember(SWITCH, !isOn());
    button.setAttribute("aria-pressed", pressed()["aria-pressed"]);
    onSwitch(isOn());
  }

  return button;
}
