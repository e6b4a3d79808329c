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
  if (root.dataset.at) grid.go(Number(root.dataset.at), 0);

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

// How the file would be read, shown while the form is filled in.
const form = document.querySelector("[data-peek]");
let asked = null;

async function peek() {
  asked?.abort();
  const request = (asked = new AbortController());
  const fields = new URLSearchParams(new FormData(form));
  fields.delete("csrf");
  const place = form.querySelector(".peeked");
  place.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(`${form.dataset.peek}?${fields}`, { headers: { Accept: "application/json, text/html" }, signal: request.signal });
    if (response.ok) place.innerHTML = await response.text(); // our own template, escaped there
    else place.replaceChildren(note((await response.json().catch(() => null))?.detail));
  } catch (error) {
    if (error.name === "AbortError") return;
    place.replaceChildren(note());
  }
  place.removeAttribute("aria-busy");
}

function note(text = "Sheetmill does not answer. Is the network there?") {
  const paragraph = document.createElement("p");
  paragraph.className = "note warn";
  paragraph.textContent = text;
  return paragraph;
}

if (form) {
  form.closest("details").addEventListener("toggle", (event) => event.target.open && peek());
  form.addEventListener("input", (event) => {
    // A row is said: then it is meant.
    if (event.target.type === "number") form.querySelector('[value="rows"]').checked = true;
    peek();
  });
}
