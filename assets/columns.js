// The columns that a recipe expects, in the builder: their names, what else people call them, and what was found for each.
import { el, prose } from "./forms.js";

const namesOf = (text) => text.split(";").map((it) => it.trim()).filter(Boolean);
const expand = (column) => (typeof column === "string" ? { name: column } : column);

// As the document has it: a name alone where there is no more to say.
function compact({ name, also, required }) {
  if (!also?.length && !required) return name;
  return { name, ...(also?.length ? { also } : {}), ...(required ? { required } : {}) };
}

/**
 * Draws the panel into `place`. `input` is the document's part, `current` answers the names of the table's columns, and
 * `set(input, again)` takes a change; `again` says that the panel is to be drawn anew.
 */
export function drawExpected(place, input, current, set) {
  const columns = (input.columns ?? []).map(expand);
  const put = (next, again) => {
    const { columns: _old, ...rest } = input;
    if (next.length === 0) {
      delete rest.others;
      delete rest.match;
    }
    set(next.length > 0 ? { ...rest, columns: next.map(compact) } : rest, again);
  };
  const option = (name, usual) => (event) => {
    const { [name]: _old, ...rest } = input;
    set(event.target.value === usual ? rest : { ...rest, [name]: event.target.value }, true);
  };
  const add = el("button", { class: "button tiny", type: "button", onclick: () => put([...columns, { name: "" }].map((it) => (it.name === "" ? { ...it, name: freshName(columns) } : it)), true) }, "Add a column");
  const take = el("button", { class: "button tiny", type: "button", "data-take": true, onclick: () => put([...columns, ...current().filter((name) => !columns.some((it) => it.name === name)).map((name) => ({ name }))], true) }, "Take the columns of this table");
  place.replaceChildren(
    el("p", { class: "said" }, columns.length === 0 ? "Files are taken as they are. List the columns that the steps need, and files may call them otherwise." : "Headers of files are matched with these names."),
    el("ol", { class: "expects" }, ...columns.map((column, index) => line(column, (change, again) => put(columns.with(index, { ...columns[index], ...change }), again), () => put(columns.toSpliced(index, 1), true)))),
    el("div", { class: "actions" }, take, add),
    ...(columns.length === 0 ? [] : [
      choice("Headers fit if they are", input.match ?? "fuzzy", { exact: "exactly the name", normalised: "the name but for case and punctuation", synonym: "the name or another one of it", fuzzy: "one of its names, or very alike" }, option("match", "fuzzy")),
      choice("Other columns", input.others ?? "keep", { keep: "stay", drop: "are left out" }, option("others", "keep")),
    ]),
    el("div", { "data-unfit": true }),
  );
}

/** Says what was found for each column; the fields keep their focus. */
export function drawFound(place, found, problems) {
  for (const line of place.querySelectorAll(".expects > li")) {
    const it = found?.find((column) => column.expected === line.dataset.name);
    const words = line.querySelector(".found");
    words.className = `found small ${it && !it.sure ? "unsure" : "soft"}`;
    words.textContent = it ? wordsOf(it) : "";
  }
  const unfit = place.querySelector("[data-unfit]");
  unfit?.replaceChildren(...problems.filter((it) => it.path.startsWith("input.")).map((it) => el("p", { class: "wrong small" }, ...prose(it.message))));
}

function wordsOf({ header, words, nearest }) {
  if (header) return `${header}: ${words}`;
  return nearest.length > 0 ? `${words}; near: ${nearest.join(", ")}` : words;
}

function line(column, change, remove) {
  const required = el("input", { type: "checkbox", checked: column.required ?? false, onchange: () => change({ required: required.checked }, true) });
  const name = el("input", { class: "input mono", value: column.name, "aria-label": "Expected column", spellcheck: "false", onchange: () => change({ name: name.value }, true) });
  const also = el("input", { class: "input mono", value: (column.also ?? []).join("; "), "aria-label": `Also called, for ${column.name}`, placeholder: "also called", spellcheck: "false", onchange: () => change({ also: namesOf(also.value) }, true) });
  return el("li", { "data-name": column.name },
    el("div", { class: "pair" }, name, also),
    el("div", { class: "actions" }, el("label", { class: "check" }, required, " required"), el("button", { class: "button quiet tiny", type: "button", "aria-label": `Remove ${column.name}`, onclick: remove }, "Remove")),
    el("p", { class: "found small soft" }));
}

function choice(title, value, words, onchange) {
  const known = value in words ? words : { ...words, [value]: `at least ${Math.round(value * 100)} % alike` };
  const select = el("select", { class: "select", "aria-label": title, onchange }, ...Object.entries(known).map(([word, shown]) => el("option", { value: word }, shown)));
  select.value = value;
  return el("div", { class: "field" }, el("label", {}, title), select);
}

function freshName(columns) {
  let name = "column";
  for (let number = 2; columns.some((it) => it.name === name); number += 1) name = `column ${number}`;
  return name;
}
