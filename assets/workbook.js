// The page of one workbook: its grid, the profile of a column beside it, and the way from an issue to its cell.
import { Grid } from "./grid.js";
import { send } from "./send.js";

const root = document.getElementById("grid");
const panel = document.getElementById("profile");

if (root?.querySelector(".gridscroll")) {
  const grid = new Grid(root, {
    total: Number(root.dataset.total),
    load: (offset, limit, signal) => send(`${root.dataset.rows}?offset=${offset}&limit=${limit}`, undefined, { signal }),
    onColumn: show,
  });

  root.addEventListener("click", (event) => {
    const head = event.target.closest(".colhead[data-column]");
    if (!head || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(Number(head.dataset.column));
  });

  document.addEventListener("click", (event) => {
    const address = event.target.closest("[data-cell]")?.dataset.cell.match(/^([A-Z]+)([0-9]+)/);
    if (!address) return;
    event.preventDefault();
    grid.goToNumber(Number(address[2]), numberOf(address[1]));
  });
}

/** The position of a column from 0, by its letters; sheets may begin further right, so letters are looked up first. */
function numberOf(letters) {
  const head = root.querySelector(`.colhead[data-letters="${letters}"]`);
  if (head) return Number(head.dataset.column);
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

async function show(column) {
  const response = await fetch(`${root.dataset.profile}${column}`, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok) return;
  panel.innerHTML = await response.text(); // our own template, escaped there
  for (const head of root.querySelectorAll(".colhead[data-column]")) {
    if (Number(head.dataset.column) === column) head.setAttribute("aria-current", "true");
    else head.removeAttribute("aria-current");
  }
  const url = new URL(location.href);
  url.searchParams.set("column", String(column));
  history.replaceState(null, "", url);
}
