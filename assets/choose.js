// Files to run a recipe on: a search that filters while typing, all or none of what is seen, and how many are ticked.
const form = document.querySelector("[data-choose-files]");
const find = document.querySelector("[data-find-files]");
const count = new Intl.NumberFormat("en").format;

const lines = () => [...(form?.querySelectorAll(".picks tbody tr") ?? [])];
const boxOf = (line) => line.querySelector("input[type='checkbox']");

function tell() {
  const ticked = lines().filter((line) => boxOf(line).checked).length;
  const place = form.querySelector("[data-ticked]");
  if (place) place.textContent = `${count(ticked)} ${ticked === 1 ? "file" : "files"} ticked`;
  const go = form.querySelector("[data-go]");
  if (go) go.disabled = ticked === 0;
}

// What is ticked stays in view, whatever is searched for.
function filter() {
  const wanted = find.elements.search.value.trim().toLowerCase();
  for (const line of lines()) line.hidden = !boxOf(line).checked && !line.querySelector(".filename").title.toLowerCase().includes(wanted);
  const seen = lines().filter((line) => !line.hidden).length;
  const all = form.querySelector("[data-tick='all']");
  if (all) all.textContent = `Tick all ${count(seen)}`;
}

if (form && find) {
  form.addEventListener("change", tell);
  form.addEventListener("click", (event) => {
    const link = event.target.closest("[data-tick]");
    if (!link) return;
    event.preventDefault();
    for (const line of lines()) if (!line.hidden) boxOf(line).checked = link.dataset.tick === "all";
    filter();
    tell();
  });
  find.elements.search.addEventListener("input", filter);
  // The server searches among all files; it is told what is ticked, so that it stays so.
  find.addEventListener("submit", () => {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "ticked";
    field.value = lines().map(boxOf).filter((box) => box.checked).map((box) => box.value).join(",");
    find.append(field);
  });
  tell();
}
