// Forms of steps, made from the definitions that the engine gives: one builder for each kind of option.

/** el("label", { class: "x", onclick }, child, …) */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A sentence in which what stands between backticks is code. */
export const prose = (sentence) => sentence.split("`").map((part, index) => (index % 2 === 1 ? el("code", {}, part) : part));

let number = 0;

function field(option, control) {
  number += 1;
  const id = `option-${number}`;
  const named = control.matches("input, select, textarea") ? control : null;
  if (named) {
    named.id = id;
    named.setAttribute("aria-describedby", `${id}-hint`);
  }
  const label = named ? el("label", { for: id }, option.title) : el("span", { class: "label" }, option.title);
  return el("div", { class: "field", "data-option": option.name }, label, control, el("span", { class: "hint small", id: `${id}-hint` }, ...prose(option.about)));
}

function pick(columns, value, onchange, blank = "choose a column") {
  const names = columns.map((column) => column.name);
  const select = el("select", { class: "select", onchange: () => onchange(select.value) });
  if (!names.includes(value)) select.append(el("option", { value: value ?? "" }, value ? `${value} (missing)` : blank));
  for (const name of names) select.append(el("option", { value: name }, name));
  select.value = value ?? "";
  return select;
}

export function text(value, onchange, more = {}) {
  const input = el("input", { class: "input", value: value ?? "", ...more });
  input.addEventListener("input", () => onchange(input.value));
  return input;
}

// Boxes in the table's order. What is ticked stands in the order in which it was ticked, which is the order of columns where
// a step makes a table of them; where it is another one than the table's, numbers tell it.
function boxes(columns, chosen, onchange) {
  const missing = chosen.filter((name) => !columns.some((column) => column.name === name));
  const names = [...columns.map((column) => column.name), ...missing];
  const places = new Map();
  const number = () => {
    const ordered = chosen.every((name, at) => at === 0 || names.indexOf(chosen[at - 1]) < names.indexOf(name));
    for (const [name, place] of places) place.textContent = ordered || !chosen.includes(name) ? "" : String(chosen.indexOf(name) + 1);
  };
  const box = (name) => {
    const input = el("input", { type: "checkbox" });
    input.checked = chosen.includes(name);
    input.addEventListener("change", () => {
      chosen = input.checked ? [...chosen, name] : chosen.filter((it) => it !== name);
      number();
      onchange(chosen);
    });
    places.set(name, el("span", { class: "nth soft small", "aria-hidden": "true" }));
    return el("label", {}, input, el("span", {}, missing.includes(name) ? `${name} (missing)` : name), places.get(name));
  };
  const group = el("div", { class: "choices", role: "group" }, ...names.map(box));
  number();
  return group;
}

function labelled(label, control) {
  control.setAttribute("aria-label", label);
  return control;
}

const remove = (onclick) => el("button", { class: "button quiet tiny square", type: "button", title: "Remove", "aria-label": "Remove", onclick }, "×");
const add = (title, onclick) => el("button", { class: "button tiny", type: "button", onclick }, title);

// Lists of pairs: renames, sort keys, totals. `draw(item, put)`: the fields of one; `put(part, value)` changes a part of it.
function pairs(list, draw, fresh, title, onchange) {
  const change = (next, again) => {
    list = next; // further edits of the same form go on from here
    onchange(next, again);
  };
  const putter = (index) => (part, value) => {
    const item = list[index];
    change(list.with(index, Array.isArray(item) ? item.with(part, value) : { ...item, [part]: value }));
  };
  const rows = list.map((item, index) => el("div", { class: "pair", "data-key": Array.isArray(item) ? item[0] : undefined }, ...draw(item, putter(index)), remove(() => change(list.toSpliced(index, 1), true))));
  return el("div", {}, ...rows, add(title, () => change([...list, fresh()], true)));
}

// Columns that are alike here and there: pairs of their names, or one name where it is the same.
const alike = (value) => (value ?? []).map((it) => (Array.isArray(it) ? it : [it, it]));

// Each kind of option: its control. `set(value, again)`: the option's new value; `again`: the form has to be drawn again.
const CONTROLS = {
  column: ({ columns, value, set }) => pick(columns, value, set),
  columns: ({ columns, value, set }) => boxes(columns, value ?? [], set),
  columns_or_all: ({ columns, value, set }) => {
    const all = value === undefined || value === "all";
    const input = el("input", { type: "checkbox" });
    input.checked = all;
    input.addEventListener("change", () => set(input.checked ? "all" : columns.map((column) => column.name), true));
    return el("div", {}, el("label", { class: "check" }, input, "All columns"), all ? null : boxes(columns, value, set));
  },
  new_column: ({ option, value, set }) => text(value, (next) => set(next === "" && !option.required ? undefined : next), { maxlength: 200 }),
  condition: ({ value, set }) => text(value, (next) => set(next === "" ? undefined : next), { class: "input mono", spellcheck: "false", autocomplete: "off" }),
  expression: ({ value, set }) => text(value, set, { class: "input mono", spellcheck: "false", autocomplete: "off" }),
  query: ({ value, set }) => {
    const area = el("textarea", { class: "input mono", rows: 6, spellcheck: "false", autocomplete: "off", placeholder: "SELECT * FROM data" });
    area.value = value ?? "";
    area.addEventListener("input", () => set(area.value));
    return area;
  },
  choice: ({ option, value, set }) => {
    const select = el("select", { class: "select", onchange: () => set(select.value) }, ...option.choices.map((it) => el("option", { value: it }, it.replaceAll("_", " "))));
    select.value = value ?? option.default ?? option.choices[0];
    return select;
  },
  // No text is a text too, where something else holds without one.
  text: ({ option, value, set }) => text(value, (next) => set(next === "" && !option.default ? undefined : next), { placeholder: option.default ?? "", autocomplete: "off" }),
  choices: ({ option, value, set }) => boxes(option.choices.map((name) => ({ name })), value ?? option.default ?? [], (next) => set(next.length === 0 ? undefined : next)),
  number: ({ option, value, set }) => text(value, (next) => set(next === "" ? undefined : Number.isInteger(Number(next)) ? Number(next) : next), { inputmode: "numeric", placeholder: option.default ?? "", autocomplete: "off" }),
  flag: ({ option, value, set }) => {
    const input = el("input", { type: "checkbox" });
    input.checked = value ?? option.default ?? false;
    input.addEventListener("change", () => set(input.checked));
    return el("div", {}, el("label", { class: "check" }, input, "Yes"));
  },
  texts: ({ value, set }) => text((value ?? []).join(", "), (next) => set(next.trim() === "" ? undefined : next.split(",").map((it) => it.trim()).filter(Boolean)), { class: "input mono", spellcheck: "false" }),
  sort_keys: ({ columns, value, set }) =>
    pairs((value ?? []).map((key) => (typeof key === "string" ? { column: key } : key)), (key, put) => {
      const order = el("select", { class: "select", "aria-label": "Order", onchange: () => put("order", order.value) }, el("option", { value: "ascending" }, "ascending"), el("option", { value: "descending" }, "descending"));
      order.value = key.order ?? "ascending";
      const more = (name, title, words) => {
        const select = el("select", { class: "select", "aria-label": title, onchange: () => put(name, select.value) }, ...Object.entries(words).map(([word, shown]) => el("option", { value: word }, shown)));
        select.value = key[name] ?? Object.keys(words)[0];
        return select;
      };
      return [
        labelled("Column", pick(columns, key.column, (column) => put("column", column))),
        order,
        more("compare", "Texts", { exact: "exactly", ignore_case: "A and a alike", natural: "item2 before item10" }),
        more("blanks", "Blanks", { last: "blanks last", first: "blanks first" }),
      ];
    }, () => ({ column: columns[0]?.name ?? "", order: "ascending" }), "Add a column", set),
  values: ({ value, set }) =>
    pairs(value ?? [], ([from, to], put) => [
      text(from, (next) => put(0, next), { "aria-label": "Old value", placeholder: "blank" }),
      text(to, (next) => put(1, next), { "aria-label": "New value", placeholder: "blank" }),
    ], () => ["", ""], "Add a value", set),
  // A name, and the file behind it: who chooses a file need not think of a name.
  reference: ({ option, value, set, tables }) => {
    const choices = tables.choices();
    const select = el("select", { class: "select" }, el("option", { value: "" }, value ? `choose a file for “${value}”` : option.required ? "choose a file" : "all files of the run"), ...choices.map((it) => el("option", { value: it.place }, it.title)));
    select.value = choices.some((it) => it.place === tables.bound[value]) ? tables.bound[value] : "";
    select.addEventListener("change", () => {
      if (!option.required && select.value === "") return set(undefined, true);
      const name = value || nameOfTable(select.selectedOptions[0].textContent);
      tables.bind(name, select.value);
      set(name, true);
    });
    return select;
  },
  join_keys: ({ columns, value, set, options, tables }) =>
    pairs(alike(value), ([ours, theirs], put) => [
      labelled("Column of this table", pick(columns, ours, (next) => put(0, next))),
      labelled("Column of the other table", tables.columns(options.with).length > 0 ? pick(tables.columns(options.with), theirs, (next) => put(1, next)) : text(theirs, (next) => put(1, next))),
    ], () => [columns[0]?.name ?? "", columns[0]?.name ?? ""], "Add a column", set),
  other_columns: ({ columns, value, set, options, tables }) =>
    pairs(alike(value), ([theirs, ours], put) => [
      labelled("Column of the other table", tables.columns(options.with).length > 0 ? pick(tables.columns(options.with), theirs, (next) => put(0, next)) : text(theirs, (next) => put(0, next))),
      labelled("Column of this table", pick(columns, ours, (next) => put(1, next))),
    ], () => [tables.columns(options.with)[0]?.name ?? "", columns[0]?.name ?? ""], "Add a column", (list, again) => set(list.length === 0 ? undefined : list, again)),
  totals: ({ value, set }) =>
    pairs(value ?? [], ([name, total], put) => [
      text(name, (next) => put(0, next), { "aria-label": "New column" }),
      text(total, (next) => put(1, next), { "aria-label": "Total", class: "input mono", spellcheck: "false" }),
    ], () => [`total ${(value ?? []).length + 1}`, "count(*)"], "Add a total", set),
  rules: ({ columns, value, set }) => {
    let list = value ?? [];
    const change = (next, again) => {
      list = next;
      set(next, again);
    };
    const lines = list.map((rule, index) => el("div", { class: "pair rules" }, ruleFields(rule, columns, index === list.length - 1, (next, again) => change(list.with(index, next), again)), remove(() => change(list.toSpliced(index, 1), true))));
    return el("div", {}, ...lines, add("Add a rule", () => change([...list, freshRule("column", columns)], true)));
  },
};

// A rule of `validate`: what it is about, what must hold there, and how bad it is when it does not.
function ruleFields(rule, columns, isLast, change) {
  const put = (name, value, again) => {
    const next = { ...rule };
    if (value === undefined || value === "" || value === false) delete next[name];
    else next[name] = value;
    rule = next; // further edits of the same form go on from here
    change(next, again);
  };
  const tick = (name, label) => {
    const input = el("input", { type: "checkbox" });
    input.checked = rule[name] === true;
    input.addEventListener("change", () => put(name, input.checked));
    return el("label", { class: "check" }, input, label);
  };
  // What a field is about stays in view when it is filled.
  const named = (label, control, wide = "") => el("label", { class: `mini ${wide}` }, el("span", { class: "hint small" }, label), control);
  const write = (name, label, wide = "", more = {}) => named(label, text(rule[name], (next) => put(name, next), { "data-rule": name, ...more }), wide);
  const words = (name, label, list) => {
    const select = el("select", { class: "select", onchange: () => put(name, select.value) }, el("option", { value: "" }, "any"), ...list.map((it) => el("option", { value: it }, it)));
    select.value = rule[name] ?? "";
    return named(label, select, "wide");
  };
  const length = typeof rule.length === "object" ? rule.length : { min: rule.length, max: rule.length };
  const end = (name, label) => named(label, text(length?.[name], (next) => {
    const ends = { min: length?.min, max: length?.max, [name]: next === "" ? undefined : Number(next) };
    Object.assign(length, ends);
    put("length", ends.min === undefined && ends.max === undefined ? undefined : Object.fromEntries(Object.entries(ends).filter(([, value]) => value !== undefined)));
  }, { inputmode: "numeric" }));
  const about = el("select", { class: "select", onchange: () => change(freshRule(about.value, columns), true) },
    el("option", { value: "column" }, "A column"), el("option", { value: "unique" }, "Unique together"), el("option", { value: "where" }, "A condition"));
  about.value = "where" in rule ? "where" : "column" in rule ? "column" : "unique";
  const severity = el("select", { class: "select", onchange: () => put("severity", severity.value === "error" ? undefined : severity.value) },
    el("option", { value: "error" }, "reject the row"), el("option", { value: "warning" }, "only list it"));
  severity.value = rule.severity ?? "error";
  const message = () => write("message", "what to say instead", "wide");
  const severe = () => named("when it is broken", severity, "wide");
  // What is checked is in view; the rest unfolds, and is open where a rule was just begun.
  const folded = (tests) => {
    const isSet = ([names]) => names.some((name) => rule[name] !== undefined);
    const [used, unused] = [tests.filter(isSet), tests.filter((it) => !isSet(it))];
    const more = el("details", { class: "wide more" }, el("summary", {}, "More checks"), el("div", { class: "rule" }, ...unused.flatMap(([, control]) => control())));
    more.open = isLast && used.length === 0;
    return [...used.flatMap(([, control]) => control()), ...(unused.length > 0 ? [more] : [])];
  };
  const fields = {
    where: () => [write("where", "condition, such as total < 1000", "wide", { class: "input mono", spellcheck: "false" }), message(), severe()],
    unique: () => [boxes(columns, rule.unique ?? [], (next) => put("unique", next)), ...folded([[["message"], () => [message()]], [["severity"], () => [severe()]]])],
    column: () => [
      labelled("Column", pick(columns, rule.column, (next) => put("column", next))),
      tick("required", "must be filled"),
      tick("unique", "must be unique"),
      ...folded([
        [["type"], () => [words("type", "type", ["integer", "decimal", "date", "datetime", "time", "boolean", "text"])]],
        [["min", "max"], () => [write("min", "at least"), write("max", "at most")]],
        [["length"], () => [end("min", "fewest characters"), end("max", "most characters")]],
        [["pattern"], () => [write("pattern", "pattern of the whole text", "wide", { class: "input mono", spellcheck: "false" })]],
        [["one_of"], () => [named("allowed values, with commas between", text((rule.one_of ?? []).join(", "), (next) => put("one_of", next.trim() === "" ? undefined : next.split(",").map((it) => it.trim()).filter(Boolean)), { "data-rule": "one_of" }), "wide")]],
        [["message"], () => [message()]],
        [["severity"], () => [severe()]],
      ]),
    ],
  };
  return el("div", { class: "rule" }, labelled("What is checked", about), ...fields[about.value]());
}

function freshRule(about, columns) {
  const first = columns[0]?.name ?? "";
  return { column: { column: first, required: true }, unique: { unique: [first] }, where: { where: "" } }[about];
}

/** `Price list 2024.xlsx, Sheet1` is called `price_list_2024`. */
const nameOfTable = (title) => title.replace(/,[^,]*$/, "").replace(/\.[a-z0-9]+$/i, "").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "") || "table";

/** The fields of a step. `change(options, again)` is called with each edit; `tables` are the files behind names. */
export function formOf(definition, options, columns, change, tables) {
  if (definition.options.some((option) => option.kind === "renames")) return [renames(definition.options[0], options, columns, change)];
  const given = (name) => options[name] ?? definition.options.find((it) => it.name === name)?.default;
  const applies = (option) => !option.when || option.when.words.includes(given(option.when.option));
  return definition.options.filter(applies).map((option) => {
    const set = (value, again = false) => {
      const next = { ...options };
      if (value === undefined) delete next[option.name];
      else next[option.name] = value;
      options = next; // further edits of the same form go on from here
      // What another choice has no use for goes with the choice.
      for (const it of definition.options) if (!applies(it)) delete next[it.name];
      change(next, again || definition.options.some((it) => it.when?.option === option.name));
    };
    const control = CONTROLS[option.kind]({ option, columns, value: options[option.name], set, options, tables });
    return field(option, control);
  });
}

// The entries of a rename are its options themselves.
function renames(option, options, columns, change) {
  const control = pairs(Array.isArray(options) ? options : [], ([from, to], put) => [
    labelled("Column", pick(columns, from, (next) => put(0, next))),
    text(to, (next) => put(1, next), { "aria-label": "New name", maxlength: 200 }),
  ], () => [columns.find((column) => !options.some?.(([name]) => name === column.name))?.name ?? "", ""], "Add a name", change);
  return field(option, control);
}

/** What is wrong, with a caret under the characters it is about. */
export function problemLines(problem, expression) {
  const lines = [el("p", { class: "wrong small" }, ...prose(problem.message))];
  if (problem.span && expression) {
    const [from, to] = problem.span;
    // Positions count characters; of several lines the one with the mistake is shown.
    const characters = [...expression];
    const start = characters.lastIndexOf("\n", from - 1) + 1;
    const end = characters.indexOf("\n", from);
    const line = characters.slice(from > 0 ? start : 0, end < 0 ? undefined : end);
    const length = Math.max(1, Math.min(to, end < 0 ? to : end) - from);
    lines.unshift(el("pre", { class: "caret", "aria-hidden": "true" }, `${line.join("")}\n${" ".repeat(from > 0 ? from - start : 0)}${"^".repeat(length)}`));
  }
  return lines;
}
