// Requests of our own scripts. The token in the header is what other sites cannot send along.
const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

export const headers = (more = {}) => ({ "X-CSRF": csrf(), Accept: "application/json", ...more });

/** Sends JSON, answers JSON. Throws an Error whose message is a sentence for people. */
export async function send(url, body, { signal } = {}) {
  const options = body === undefined
    ? { headers: headers(), signal }
    : { method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(body), signal };
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("Sheetmill does not answer. Is the network there?");
  }
  if (response.status === 401) location.reload(); // signed out meanwhile: the page leads to the sign-in
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(answer?.detail ?? "That did not work. Try again.");
  return answer;
}

/** Says something at the foot of the page for a while; screen readers hear it. */
export function say(text) {
  const toast = document.querySelector(".toast");
  if (!toast) return;
  const note = document.createElement("p");
  note.className = "note";
  note.textContent = text;
  toast.replaceChildren(note);
  setTimeout(() => note.remove(), 6000);
}
