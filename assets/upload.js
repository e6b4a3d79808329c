// Files arrive: dropped anywhere on the page, or chosen. Each has a line of its own with progress, and is sent in a request
// of its own, so that one that is refused does not stop the others.
import { headers } from "./send.js";

const AT_ONCE = 3; // browsers allow six connections, and the page's stream needs one
const form = document.querySelector("[data-upload]");
const list = document.querySelector(".uploads");
const pattern = document.getElementById("upload-line");
const queue = [];
let running = 0;

if (form && list && pattern) begin();

function begin() {
  const picker = form.querySelector("input[type=file]");
  picker.addEventListener("change", () => {
    add(picker.files);
    picker.value = "";
  });
  form.querySelector("[data-choose]").addEventListener("click", () => picker.click());
  form.addEventListener("submit", (event) => event.preventDefault());

  // dragenter and dragleave come for every element on the way: only the balance tells whether the page is left.
  let depth = 0;
  const isFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (on) => document.documentElement.classList.toggle("dragging", on);
  addEventListener("dragenter", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    depth += 1;
    mark(true);
  });
  addEventListener("dragover", (event) => isFiles(event) && event.preventDefault());
  addEventListener("dragleave", (event) => {
    if (!isFiles(event)) return;
    depth -= 1;
    if (depth <= 0) mark(false);
  });
  addEventListener("drop", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    depth = 0;
    mark(false);
    add(event.dataTransfer.files);
  });
  addEventListener("beforeunload", (event) => running > 0 && event.preventDefault());
}

function add(files) {
  for (const file of files) {
    const line = pattern.content.firstElementChild.cloneNode(true);
    line.querySelector(".name").textContent = file.name;
    line.querySelector(".said").textContent = "waiting";
    list.append(line);
    queue.push({ file, line });
  }
  next();
}

function next() {
  while (running < AT_ONCE && queue.length > 0) {
    running += 1;
    transfer(queue.shift());
  }
}

// fetch cannot tell how much of a body is sent; XMLHttpRequest can.
function transfer({ file, line }) {
  const said = line.querySelector(".said");
  const bar = line.querySelector("progress");
  const request = new XMLHttpRequest();
  request.open("POST", "/files");
  for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
  request.upload.addEventListener("progress", (event) => {
    const share = event.total > 0 ? event.loaded / event.total : 0;
    bar.value = Math.max(bar.value, Math.floor(share * 1000));
    said.textContent = share < 1 ? `${Math.floor(share * 100)} %` : "checking";
  });
  request.addEventListener("loadend", () => {
    running -= 1;
    finish(request, line);
    next();
  });
  const body = new FormData();
  body.append("file", file, file.name);
  request.send(body);
}

function finish(request, line) {
  const answer = read(request);
  const file = Array.isArray(answer) ? answer[0] : null;
  const error = file ? file.error : answer?.detail ?? "The connection broke off. Try again.";
  line.querySelector("progress").hidden = true;
  if (error) {
    line.querySelector(".said").hidden = true;
    const why = line.querySelector(".why");
    why.hidden = false;
    why.querySelector("span").textContent = error;
    return;
  }
  const name = line.querySelector(".name");
  const link = document.createElement("a");
  link.className = "name";
  link.href = `/files/${file.id}`;
  link.textContent = name.textContent;
  name.replaceWith(link);
  line.querySelector(".said").textContent = "uploaded";
}

function read(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null;
  }
}
