// Where a row of the preview comes from, in a dialog: each step that touched it, and its cells before and after.
import { headers, say } from "./send.js";

const dialog = document.getElementById("row");
let asked = null;

/** Tells of the row with this number among those that stay; `order` is what the preview is asked for. */
export async function tellOfRow(order, row, follow) {
  asked = { order, row };
  const options = { method: "POST", headers: headers({ Accept: "text/html, application/json", "Content-Type": "application/json" }), body: JSON.stringify({ ...order, row, follow }) };
  const response = await fetch("/recipes/row", options).catch(() => null);
  if (!response?.ok) return say((await response?.json().catch(() => null))?.detail ?? "That did not work. Try again.");
  dialog.querySelector("[data-told]").innerHTML = await response.text(); // our own template, escaped there
  if (!dialog.open) dialog.showModal();
}

dialog?.addEventListener("click", (event) => {
  const row = event.target.closest("[data-follow]")?.dataset.follow;
  if (!row) return;
  event.preventDefault();
  tellOfRow(asked.order, asked.row, Number(row));
});
