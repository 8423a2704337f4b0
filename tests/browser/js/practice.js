/** For test_practice.py. */

/**
 * The page is gone back to, after one piece of the self-check was solved elsewhere.
 * @param {string} piece
 */
export function comeBackTo(piece) {
  localStorage.setItem("bertlesson:self-check", JSON.stringify({ [piece]: { done: true } }));
  dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
}
