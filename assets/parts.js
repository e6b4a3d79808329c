// What is read and what is written, in the builder: forms made from the same definitions as the guide.
import { el, prose, text } from "./forms.js";

/** The value at `csv.delimiter` of a part of the document. */
const valueAt = (part, name) => name.split(".").reduce((at, key) => at?.[key], part);

/** The part with another value there; nothing takes it away, and what is empty then goes too. */
function withValue(part, name, value) {
  const [key, inner] = name.split(".");
  const next = { ...part };
  if (inner !== undefined) value = withValue(next[key] ?? {}, inner, value);
  const isEmpty = value === undefined || (inner !== undefined && Object.keys(value).length === 0);
  if (isEmpty) delete next[key];
  else next[key] = value;
  return next;
}

/** Whether an option has a meaning with what is chosen; no words stand for anything that is set. */
function applies(option, part, options) {
  const given = (name) => valueAt(part, name) ?? options.find((it) => it.name === name)?.default;
  return option.when.length === 0 || option.when.some((it) => (it.words.length === 0 ? given(it.option) : it.words.includes(given(it.option))));
}

function chosen(option, value, set) {
  const select = el("select", { class: "select", onchange: () => set(select.value || undefined, true) });
  if (option.default === null) select.append(el("option", { value: "" }, "as the result needs it"));
  select.append(...option.choices.map((it) => el("option", { value: it.word }, it.said)));
  select.value = value ?? option.default ?? "";
  return select;
}

const listOf = (words) => words.split(",").map((it) => it.trim()).filter(Boolean);

const SHEETS = { first: "the first visible one", visible: "all visible ones", all: "all, hidden ones too", named: "these, by name", like: "those with a name like" };
const HEADER = { auto: "is found", none: "is not there", rows: "is in rows" };

const CONTROLS = {
  choice: ({ option, value, set }) => chosen(option, value, set),
  column: ({ value, set, columns }) => {
    const names = value && !columns.includes(value) ? [value, ...columns] : columns;
    const select = el("select", { class: "select", onchange: () => set(select.value || undefined, true) }, el("option", { value: "" }, "do not split"), ...names.map((name) => el("option", { value: name }, columns.includes(name) ? name : `${name} (missing)`)));
    select.value = value ?? "";
    return select;
  },
  text: ({ option, value, set }) => text(value, (next) => set(next === "" ? undefined : next), { class: "input mono", spellcheck: "false", autocomplete: "off", placeholder: option.name === "name" ? "{file}-{recipe}" : "found by itself" }),
  sheets: ({ value, set }) => {
    const kind = Array.isArray(value) ? "named" : typeof value === "object" ? "like" : (value ?? "first");
    const select = el("select", { class: "select", onchange: () => set({ first: undefined, named: ["Sheet1"], like: { matching: "*" } }[select.value] ?? (select.value === "first" ? undefined : select.value), true) }, ...Object.entries(SHEETS).map(([word, said]) => el("option", { value: word }, said)));
    select.value = kind;
    const named = kind === "named" && text(value.join(", "), (next) => set(listOf(next)), { "aria-label": "Names of sheets, with commas between", class: "input mono", spellcheck: "false" });
    const like = kind === "like" && text(value.matching, (next) => set({ matching: next }), { "aria-label": "Pattern of names, such as 20*", class: "input mono", spellcheck: "false" });
    return el("div", { class: "stack tight" }, select, ...[named, like].filter(Boolean));
  },
  header: ({ value, set }) => {
    const kind = value === undefined || value === "auto" ? "auto" : value === "none" ? "none" : "rows";
    const select = el("select", { class: "select", onchange: () => set({ auto: undefined, none: "none", rows: 1 }[select.value], true) }, ...Object.entries(HEADER).map(([word, said]) => el("option", { value: word }, said)));
    select.value = kind;
    if (kind !== "rows") return el("div", { class: "stack tight" }, select);
    let [first, last] = Array.isArray(value) ? value : [value, value];
    const number = (given, label, put) => text(given, (next) => {
      put(Number(next));
      if (first > 0 && last > 0) set(first === last ? first : [first, last]);
    }, { "aria-label": label, inputmode: "numeric", type: "number", min: 1 });
    const from = number(first, "First row of the header", (next) => ([first, last] = [next, Math.max(next, last)]));
    const to = number(last, "Last row of the header", (next) => (last = next));
    return el("div", { class: "stack tight" }, select, el("div", { class: "pair" }, from, to));
  },
};

/**
 * Draws the options of a part into `place`, but for those that have no control here. `columns` are the names of columns to
 * choose from; `set(part, again)` takes the changed part, and `again` says that the form is to be drawn anew.
 */
export function drawPart(place, options, part, columns, set) {
  const active = document.activeElement?.closest?.("[data-part-option]")?.dataset.partOption;
  const fields = options.filter((option) => CONTROLS[option.kind] && applies(option, part, options) && !(option.name === "split_into" && (part.format ?? "xlsx") !== "xlsx")).map((option) => {
    const put = (value, again = false) => {
      let next = withValue(part, option.name, value);
      // What another choice has no use for goes with the choice.
      for (const it of options) if (!applies(it, next, options)) next = withValue(next, it.name, undefined);
      if ((next.format ?? "xlsx") !== "xlsx") next = withValue(next, "split_into", undefined);
      part = next; // further edits of the same form go on from here
      set(next, again);
    };
    return field(option, CONTROLS[option.kind]({ option, value: valueAt(part, option.name), set: put, columns }));
  });
  place.replaceChildren(...fields);
  if (active) place.querySelector(`[data-part-option="${active}"] :is(select, input)`)?.focus();
}

function field(option, control) {
  const id = `part-${option.name.replaceAll(".", "-")}`;
  const inner = control.matches("select, input") ? control : control.querySelector("select, input");
  inner.id = id;
  inner.setAttribute("aria-describedby", `${id}-hint`);
  // Said in full in the guide, and to whoever asks: seven sentences would hide seven fields.
  const about = option.about.replaceAll("`", "");
  return el("div", { class: "field", "data-part-option": option.name }, el("label", { for: id, title: about }, option.title), control, el("span", { class: "hush", id: `${id}-hint` }, about));
}

/** Says in place what is wrong with a part; the fields keep their focus. */
export function drawPartProblems(place, name, problems) {
  for (const old of place.querySelectorAll(":scope .wrong")) old.remove();
  for (const problem of problems.filter((it) => it.path === name || it.path.startsWith(`${name}.`))) {
    const option = [...place.querySelectorAll("[data-part-option]")].find((it) => problem.path.startsWith(`${name}.${it.dataset.partOption}`));
    (option ?? place).append(el("p", { class: "wrong small" }, ...prose(problem.message)));
  }
}
