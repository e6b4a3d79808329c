// htmx keeps the stream of a page: it closes it in hidden tabs, comes back with patience, and puts each fragment into its
// place. Here is what only a page knows: its title, when it has to be loaded again, and what to do when it is signed out.
document.addEventListener("reload", () => location.reload());

document.addEventListener("htmx:sse:after:message", () => {
  const title = document.querySelector("[data-title]")?.dataset.title;
  if (title) document.title = `${title} · Sheetmill`;
});

document.addEventListener("htmx:sse:error", (event) => {
  if (event.detail?.status === 401) location.reload();
});
