/** For the tests of what readers hear who do not see the page. */

/** @type {string[]} */
const heard = [];

/**
 * Notes what is announced from now on.
 * @param {Element} voice
 */
export function listen(voice) {
  new MutationObserver(() => {
    if (voice.textContent) heard.push(voice.textContent);
  }).observe(voice, { childList: true });
}

export const announced = () => heard;
