// The rows of a result: a click on one shows beside them where it comes from. Without script, links do the same.

const panel = document.getElementById("trace");
let asked = null;

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  const other = event.target.closest("a, button, input");
  const link = other ?? event.target.closest(".resultrows tbody tr")?.querySelector("[data-panel]");
  if (!link?.dataset.panel || !getSelection().isCollapsed) return;
  event.preventDefault();
  show(link);
});

async function show(link) {
  asked?.abort();
  const request = (asked = new AbortController());
  panel.setAttribute("aria-busy", "true");
  const headers = { Accept: "text/html" };
  const response = await fetch(link.dataset.panel, { headers, signal: request.signal }).catch(() => null);
  if (request.signal.aborted) return;
  panel.removeAttribute("aria-busy");
  // The page says what is wrong in its own way.
  if (!response?.ok) return void location.assign(link.href);
  panel.innerHTML = await response.text(); // our own template, escaped there
  panel.scrollTop = 0;
  const row = link.closest(".resultrows tr");
  if (row) {
    for (const earlier of document.querySelectorAll(".resultrows tr[aria-current]")) earlier.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    document.getElementById("go-to-row").value = row.querySelector("th").textContent.replace(/\D/g, "");
  }
  history.replaceState(null, "", link.href);
  // On narrow screens the panel is below the rows.
  if (getComputedStyle(panel).position === "static") panel.scrollIntoView({ block: "start" });
}
