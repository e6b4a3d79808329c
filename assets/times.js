// Relative times stay true while a page is open, and on hover they are exact, in the reader's own zone.
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function ago(seconds) {
  const say = (number, unit) => `${number} ${unit}${number === 1 ? "" : "s"} ago`;
  if (seconds < 5) return "just now";
  if (seconds < 60) return say(seconds, "second");
  if (seconds < 3600) return say(Math.floor(seconds / 60), "minute");
  if (seconds < 86400) return say(Math.floor(seconds / 3600), "hour");
  if (seconds < 5184000) return say(Math.floor(seconds / 86400), "day");
  return say(Math.floor(seconds / 2592000), "month");
}

function ahead(seconds) {
  const say = (number, unit) => `in ${number} ${unit}${number === 1 ? "" : "s"}`;
  if (seconds < 1) return "now";
  if (seconds < 60) return "in less than a minute";
  if (seconds < 3600) return say(Math.floor(seconds / 60), "minute");
  if (seconds < 172800) return say(Math.floor(seconds / 3600), "hour");
  return say(Math.floor(seconds / 86400), "day");
}

const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// The clocks of server and reader differ; what counts is how much time went by since the page came.
const cameAt = Date.now();
const read = new WeakMap();

function refresh() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = exact.format(at);
    if ("exact" in time.dataset) {
      const text = short.format(at);
      if (text !== time.textContent) time.textContent = text;
      continue;
    }
    const known = read.get(time);
    if (known?.text !== time.textContent) {
      // Just rendered by the server: right as it is.
      read.set(time, { text: time.textContent, at: Date.now(), seconds: Math.max(0, Math.round((cameAt - at) / 1000)) });
      continue;
    }
    const gone = Math.round((Date.now() - at) / 1000);
    const text = "ahead" in time.dataset ? ahead(-gone) : ago(Math.max(0, gone));
    if (Date.now() - known.at > 20000 && text !== time.textContent) {
      time.textContent = text;
      read.set(time, { ...known, text });
    }
  }
}

// A chosen time is that of the reader's clock, which may be another in summer.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form?.elements.offset || !["at", "begin"].includes(event.target.name)) return;
  const { begin, at, offset } = form.elements;
  if (event.target === at && at.value !== "") begin.value = "at";
  at.required = begin.value === "at";
  offset.value = at.value === "" ? "" : new Date(at.value).getTimezoneOffset();
});

refresh();
setInterval(() => !document.hidden && refresh(), 10000);
document.addEventListener("htmx:sse:after:message", refresh);
