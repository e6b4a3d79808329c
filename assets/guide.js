// The guide: steps are searched while one types, and an example's text is copied.
import { say } from "./send.js";

const field = document.querySelector("[data-find]");

// All groups are needed to search in: a page that was searched by the server is searched there again.
function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const group of document.querySelectorAll("[data-group]")) {
    let left = 0;
    for (const step of group.querySelectorAll("[data-said]")) {
      const said = step.dataset.said.toLowerCase();
      step.hidden = !words.every((word) => said.includes(word));
      if (!step.hidden) left += 1;
    }
    group.hidden = left === 0;
    found += left;
  }
  document.querySelector("[data-none]").hidden = found > 0;
}

if (field && field.value === "") field.addEventListener("input", search);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.parentElement.querySelector("code").textContent;
  try {
    await navigator.clipboard.writeText(text);
    say("Copied. Paste it into the text form of a recipe.");
  } catch {
    // Without https a browser has no clipboard for scripts: what is selected can be copied by hand.
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    say("Press Ctrl C to copy what is selected.");
  }
});
