// Keys for getting around. They keep out of the way of typing and of the browser's own.
const PLACES = { h: "/", f: "/files", r: "/recipes", u: "/runs", a: "/admin" };
let waitingForPlace = 0;

const types = (element) => element.closest("input, textarea, select, [contenteditable]");

export function showKeys() {
  const dialog = document.getElementById("keys");
  if (dialog && !dialog.open) dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || types(event.target)) return;
  if (Date.now() < waitingForPlace && PLACES[event.key]) {
    waitingForPlace = 0;
    location.assign(PLACES[event.key]);
  } else if (event.key === "g") {
    waitingForPlace = Date.now() + 1500;
  } else if (event.key === "?") {
    event.preventDefault();
    showKeys();
  } else if (event.key === "u") {
    const choose = document.querySelector("[data-choose]");
    if (choose) choose.click();
    else location.assign("/#upload");
  } else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

document.querySelector("[data-keys]")?.addEventListener("click", showKeys);
