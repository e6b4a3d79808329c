// The builder of recipes. The document is the truth here: every edit makes a new one, is drawn, and is previewed on real
// rows by the server, which also says what is wrong and how the document reads as text.
import { drawExpected, drawFound } from "./columns.js";
import { el, formOf, problemLines, prose } from "./forms.js";
import { Grid } from "./grid.js";
import { drawPart, drawPartProblems } from "./parts.js";
import { tellOfRow } from "./row.js";
import { headers, say, send } from "./send.js";

const $ = (selector) => document.querySelector(selector);
const json = (id) => JSON.parse(document.getElementById(id).textContent);
const count = new Intl.NumberFormat("en").format;

const { steps: definitions, parts } = json("definitions");
const given = json("recipe");
const definitionOf = (name) => definitions.find((it) => it.name === name);
const nameOf = (step) => Object.keys(step.does)[0];

// A step here: { does: { trim: {…} }, off }. Steps that are off are neither previewed nor saved.
let recipe = { name: given.document.name, input: given.document.input, output: given.document.output, steps: given.document.steps.map((does) => ({ does, off: false })) };
let saved = JSON.stringify(documentOf(recipe));
let id = given.id;
let newest = given.newest ?? 0;
let at = recipe.steps.length; // the step after which rows are shown; 0 is the sheet as it was read
let past = [];
let future = [];
let answer = null;
let problems = [];
let show = "first"; // which rows: "first", "kept", "random", "wrong", or { breaking: a rule }
let rejected = null; // of how many rows, how many the whole recipe rejects, once they are counted

// Which file and sheet stands behind each name of another table; a browser remembers that of a saved recipe.
const bound = { ...JSON.parse(localStorage.getItem(`tables:${id}`) ?? "{}"), ...given.references };
if (id && Object.keys(given.references).length > 0) localStorage.setItem(`tables:${id}`, JSON.stringify(bound));

function namesOfTables() {
  const kinds = (step) => definitionOf(nameOf(step))?.options.filter((option) => option.kind === "reference") ?? [];
  return [...new Set(recipe.steps.filter((step) => !step.off).flatMap((step) => kinds(step).map((option) => step.does[nameOf(step)]?.[option.name])).filter(Boolean))];
}

const boundTables = () => Object.fromEntries(namesOfTables().filter((name) => bound[name]).map((name) => [name, bound[name]]));

const tables = {
  bound,
  /** The files and sheets to choose from. */
  choices: () => [...($("[data-file]")?.options ?? [])].map((option) => ({ place: option.value, title: option.textContent.trim() })),
  columns: (name) => answer?.references?.[name] ?? [],
  /** Puts a file's sheet behind a name. */
  bind: (name, place) => {
    bound[name] = place;
    if (id) localStorage.setItem(`tables:${id}`, JSON.stringify(bound));
    preview();
  },
};

const grid = new Grid($("#grid"), { total: 0, load: async (offset, limit) => ({ rows: shownRows().slice(offset, offset + limit).map(withWords) }), onColumn: openColumnMenu, onRow: tellOf });

function documentOf({ name, input, output, steps }) {
  return { name, input, steps: steps.filter((step) => !step.off).map((step) => step.does), output };
}

// ---- Edits

function edit(next, { select = at, redraw = true, merge = false } = {}) {
  // Typing into a field is one edit to undo, not one for each letter.
  if (!merge || past.length === 0) past.push({ recipe, at });
  future = [];
  recipe = next;
  at = Math.min(select, recipe.steps.length);
  if (redraw) draw();
  else drawSteps();
  preview();
}

function travel(from, to) {
  const place = from.pop();
  if (!place) return;
  to.push({ recipe, at });
  ({ recipe, at } = place);
  draw();
  preview();
}

const withSteps = (steps) => ({ ...recipe, steps });

function addStep(does) {
  edit(withSteps(recipe.steps.toSpliced(at, 0, { does, off: false })), { select: at + 1 });
  $("[data-add]").open = false;
  $("[data-form] input, [data-form] select")?.focus();
}

function moveStep(from, to) {
  if (to < 0 || to >= recipe.steps.length || from === to) return;
  const steps = recipe.steps.toSpliced(from, 1).toSpliced(to, 0, recipe.steps[from]);
  edit(withSteps(steps), { select: to + 1 });
  $(`[data-steps] li:nth-child(${to + 2}) .label`)?.focus();
}

function removeStep(index) {
  edit(withSteps(recipe.steps.toSpliced(index, 1)), { select: Math.max(0, at > index ? at - 1 : at) });
}

function select(index) {
  at = index;
  draw();
  preview();
}

// ---- Drawing

function draw() {
  $("[data-name]").value = recipe.name;
  drawParts();
  drawColumns();
  drawSteps();
  drawForm();
}

// What the table's columns are called when the steps meet them.
const currentColumns = () => columnsBefore(0).map((it) => it.name);

function drawColumns() {
  drawExpected($("[data-expected]"), recipe.input ?? {}, currentColumns, (input, redraw) => edit({ ...recipe, input }, { redraw }));
  drawFound($("[data-expected]"), answer?.mapping, problems);
}

// What is read and what is written. Options that have no field here stay as the document has them.
function drawParts() {
  const names = columnsBefore(recipe.steps.length).map((it) => it.name);
  for (const name of ["input", "output"]) {
    drawPart($(`[data-part="${name}"]`), parts[name], recipe[name] ?? {}, names, (next, redraw) => {
      const key = `part/${name}`;
      edit({ ...recipe, [name]: next }, { redraw, merge: !redraw && past.at(-1)?.form === key });
      if (!redraw && past.length > 0) past.at(-1).form = key;
    });
  }
  drawPartProblemsOf();
}

function drawPartProblemsOf() {
  for (const name of ["input", "output"]) drawPartProblems($(`[data-part="${name}"]`), name, problems.filter((it) => !it.path.startsWith("input.columns")));
  drawPolicy();
}

// What the policy comes to, before anything is run.
function drawPolicy() {
  const field = $('[data-part-option="rejects.policy"]');
  field?.querySelector(".tally")?.remove();
  const policy = recipe.output?.rejects?.policy ?? "leave_out";
  const words = { leave_out: "left out", keep: "kept and flagged", fail: "enough to fail the run" };
  const one = rejected?.count === 1;
  const told = !rejected || problems.length > 0 ? "" : rejected.count === 0 ? (recipe.steps.length > 0 ? "No row of this sheet is rejected." : "") : `${count(rejected.count)} of ${count(rejected.of)} rows ${one ? "is" : "are"} ${words[policy]}.`;
  if (told) field?.append(el("p", { class: "tally small" }, told));
  const ask = $("[data-run-tally]");
  if (ask) ask.textContent = told;
}

function drawSteps() {
  const dirty = JSON.stringify(documentOf(recipe)) !== saved;
  $("[data-undo]").disabled = past.length === 0;
  $("[data-redo]").disabled = future.length === 0;
  $("[data-save]").disabled = !dirty && id !== null;
  const list = $("[data-steps]");
  const lines = [el("li", { class: "origin" }, el("span"), el("span", { class: "n" }), el("button", { class: "label", type: "button", onclick: () => select(0) }, "The sheet as it was read"))];
  recipe.steps.forEach((step, index) => lines.push(stepLine(step, index)));
  lines[at].setAttribute("aria-current", "step");
  list.replaceChildren(...lines);
}

function stepLine(step, index) {
  const line = document.getElementById("step-line").content.firstElementChild.cloneNode(true);
  const wrong = problemsOf(index);
  line.classList.toggle("off", step.off);
  line.classList.toggle("wrong", wrong.length > 0);
  line.dataset.index = String(index);
  line.querySelector(".n").textContent = String(index + 1);
  const label = line.querySelector(".label");
  label.textContent = labelOf(index);
  label.addEventListener("click", () => select(index + 1));
  label.addEventListener("keydown", (event) => stepKey(event, index));
  const off = line.querySelector("[data-off]");
  off.addEventListener("click", () => edit(withSteps(recipe.steps.with(index, { ...step, off: !step.off }))));
  off.setAttribute("aria-pressed", String(step.off));
  off.title = step.off ? "Switch on" : "Switch off";
  off.querySelector("use").setAttribute("href", iconUrl(step.off ? "eye-off" : "eye"));
  line.querySelector("[data-remove]").addEventListener("click", () => removeStep(index));
  line.querySelector(".count").textContent = lossOf(index);
  // The step in view says it in its form.
  if (index !== at - 1) for (const problem of wrong) line.append(el("span", { class: "why" }, ...prose(problem.message)));
  return line;
}

function stepKey(event, index) {
  if (event.altKey && event.key === "ArrowUp") moveStep(index, index - 1);
  else if (event.altKey && event.key === "ArrowDown") moveStep(index, index + 1);
  else if (event.key === "ArrowUp" || event.key === "ArrowDown") $(`[data-steps] li:nth-child(${index + (event.key === "ArrowUp" ? 1 : 3)}) .label`)?.focus();
  else if (event.key === "Delete") removeStep(index);
  else return;
  event.preventDefault();
}

function drawForm() {
  const form = $("[data-form]");
  const step = recipe.steps[at - 1];
  form.hidden = !step;
  if (!step) return form.replaceChildren();
  const index = at - 1;
  const definition = definitionOf(nameOf(step));
  const change = (options, again) => {
    const next = withSteps(recipe.steps.with(index, { ...step, does: { [definition.name]: options } }));
    edit(next, { redraw: again, merge: !again && past.at(-1)?.form === form.dataset.key });
    if (!again && past.length > 0) past.at(-1).form = form.dataset.key;
  };
  form.dataset.key = `${index}/${definition.name}`;
  const tools = el("div", { class: "actions" },
    el("button", { class: "button tiny", type: "button", disabled: index === 0, onclick: () => moveStep(index, index - 1) }, "Up"),
    el("button", { class: "button tiny", type: "button", disabled: index === recipe.steps.length - 1, onclick: () => moveStep(index, index + 1) }, "Down"),
    el("button", { class: "button tiny", type: "button", onclick: () => edit(withSteps(recipe.steps.toSpliced(at, 0, structuredClone(step))), { select: at + 1 }) }, "Duplicate"));
  const help = el("a", { class: "help", href: `/guide/${definition.name}`, target: "_blank", title: "What this step does, with an example", "aria-label": `Guide: ${definition.title}` }, "?");
  form.replaceChildren(el("h3", {}, definition.title, help), ...formOf(definition, step.does[definition.name] ?? {}, columnsBefore(index), change, tables), tools);
  drawProblems();
}

// Problems come a moment after the form was drawn; fields keep their focus.
function drawProblems() {
  const form = $("[data-form]");
  for (const old of form.querySelectorAll(".wrong, .caret")) old.remove();
  const step = recipe.steps[at - 1];
  if (!step) return;
  for (const problem of problemsOf(at - 1)) {
    const field = [...form.querySelectorAll("[data-option]")].find((it) => problem.path.includes(`.${it.dataset.option}`));
    const pair = pairOf(field ?? form.querySelector("[data-option]:has(.pair)"), problem.path);
    const input = (pair ?? field)?.querySelector("input.mono, textarea.mono") ?? pair?.querySelector("input");
    (pair ?? field ?? form).append(...problemLines(problem, input?.value));
    input?.setAttribute("aria-invalid", "true");
  }
}

// The line of a list that a path is about: by its number, or by its key.
function pairOf(field, path) {
  const lines = [...(field?.querySelectorAll(".pair") ?? [])];
  const at = path.match(/\[(\d+)\][^[\]]*$/);
  const inSteps = path.match(/^steps\[\d+\][^[\]]*$/);
  if (at && !inSteps) return lines[Number(at[1])] ?? null;
  return lines.find((line) => line.dataset.key && path.endsWith(`.${line.dataset.key}`)) ?? null;
}

const iconUrl = (name) => document.querySelector("#column-head").content.querySelector("use").getAttribute("href").replace(/#.*/, `#${name}`);

// Positions among the steps that are on, which is how the server counts.
const sentIndex = (index) => recipe.steps.slice(0, index).filter((step) => !step.off).length;
const problemsOf = (index) => (recipe.steps[index]?.off ? [] : problems.filter((it) => it.step === sentIndex(index) + 1));
const columnsBefore = (index) => answer?.before?.[Math.min(sentIndex(index), answer.before.length - 1)] ?? [];

function labelOf(index) {
  const step = recipe.steps[index];
  const label = step.off ? null : answer?.labels?.[sentIndex(index)];
  return label ?? definitionOf(nameOf(step))?.title ?? nameOf(step);
}

function lossOf(index) {
  if (recipe.steps[index].off) return "off";
  if (problems.length > 0) return ""; // the counts are of the document before
  const entries = (answer?.rows?.ledger ?? []).filter((it) => it.step === sentIndex(index) + 1);
  const sum = (name) => entries.reduce((total, it) => total + it[name], 0);
  const words = { rejected: "rejected", filtered: "filtered", deduplicated: "duplicates", aggregated: "into groups", flagged: "flagged", warned: "warned" };
  return Object.entries(words).filter(([name]) => sum(name) > 0).map(([name, word]) => `${count(sum(name))} ${word}`).join(", ");
}

// ---- Preview: rows at once, then all rows counted

let running = null;
let soon = 0;
let seed = 1;

// The server gives up what this page asked before.
const page = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;

function preview(text) {
  clearTimeout(soon);
  $(".previewpane").setAttribute("aria-busy", "true");
  soon = setTimeout(() => {
    soon = 0;
    ask(text);
  }, text === undefined ? 120 : 0);
}

/** On what the preview is made: the file in view, up to the chosen step. */
function place() {
  const [file, table] = ($("[data-file]")?.value ?? "").split("/");
  return { file: file || null, table: Number(table ?? 0), steps: sentIndex(at), references: boundTables() };
}

// Rows that were taken out say by which step; of the others it is told where they come from.
function tellOf(index) {
  const rows = shownRows();
  if (!rows[index] || rows[index].fate?.out || problems.length > 0) return;
  // Only among the first rows does a row's place say which row of the result it is.
  if (!ofFirst(show)) return;
  const kept = rows.slice(0, index + 1).filter((row) => !row.fate?.out).length;
  tellOfRow({ ...place(), document: documentOf(recipe) }, kept);
}

async function ask(text) {
  running?.abort();
  const request = (running = new AbortController());
  const told = await answers(text, request);
  if (request === running && soon === 0) $(".previewpane").setAttribute("aria-busy", "false");
  return told;
}

const ofFirst = (shown) => shown === "first" || shown === "kept";

// What the server calls the rows that are shown; those that stay are among the first.
function asks() {
  if (show === "random") return { random: { seed } };
  return show === "kept" ? "first" : show;
}

async function answers(text, request) {
  const order = { page, ...place(), show: asks() };
  const { file } = order;
  const asked = text === undefined ? { ...order, document: documentOf(recipe) } : { ...order, text };
  try {
    // Rows that break one rule are known once all are counted.
    const soonest = show?.breaking ? "first" : order.show;
    const first = await send("/recipes/preview", { ...asked, show: soonest, count: false }, { signal: request.signal });
    if (request !== running) return false;
    take(first, text !== undefined);
    if (first.reading) {
      $("[data-balance]").textContent = "The file is being read …";
      soon = setTimeout(() => { soon = 0; ask(text); }, 700);
      return problems.length === 0;
    }
    if (text !== undefined || !file || problems.length > 0) return problems.length === 0;
    if (first.rows?.ledger.length > 0) return true; // the steps needed all rows: they are counted already
    const whole = await send("/recipes/preview", { ...asked, count: true }, { signal: request.signal });
    if (request === running) take(whole, false);
  } catch (error) {
    if (error.name === "AbortError") return false;
    $("[data-balance]").textContent = error.message;
  }
  return true;
}

function take(next, isText) {
  // A step that changes no column has none of its own in the answer.
  next.before?.forEach((columns, index) => (next.before[index] = columns ?? next.before[index - 1]));
  problems = next.problems;
  if (isText) {
    drawTextProblems();
    if (problems.length > 0) return;
    past.push({ recipe, at });
    recipe = { ...next.document, steps: next.document.steps.map((does) => ({ does, off: false })) };
    const atEnd = at === past.at(-1).recipe.steps.length;
    at = atEnd ? recipe.steps.length : Math.min(at, recipe.steps.length);
    answer = { ...answer, ...next };
    draw();
    return preview();
  }
  // A document that is wrong has no new rows: the last good ones stay in view.
  const columnsChanged = JSON.stringify(answer?.before) !== JSON.stringify(next.before ?? answer?.before);
  const tablesChanged = JSON.stringify(answer?.references) !== JSON.stringify(next.references ?? answer?.references);
  // Of a document that does not read there is no mapping; of one without expected columns neither.
  answer = { ...answer, mapping: undefined, ...next, rows: next.rows ?? answer?.rows, before: next.before ?? answer?.before };
  if (next.text && document.activeElement !== $("[data-yaml]")) $("[data-yaml]").value = next.text;
  drawTextProblems();
  drawSuggestions();
  drawFound($("[data-expected]"), answer.mapping, problems);
  drawSteps();
  const typing = $("[data-form]").contains(document.activeElement);
  noteRejected();
  if (columnsChanged && !$("[data-part=output]").contains(document.activeElement)) drawParts();
  else drawPartProblemsOf();
  if ((columnsChanged || tablesChanged) && !typing) drawForm();
  else drawProblems();
  drawRows();
}

// What the profile of the sheet suggests. The rules are the server's; here is one click for each.
function drawSuggestions() {
  const list = answer?.suggestions ?? [];
  $("[data-suggested]").hidden = list.length === 0;
  $("[data-suggestions]").replaceChildren(...list.map((it) => el("li", {}, el("span", {}, it.sentence), el("button", { class: "button tiny", type: "button", "aria-label": `Add the step: ${it.sentence}`, onclick: () => takeSuggestion(it) }, "Add"))));
}

// Steps that are off do not count for the server.
function takeSuggestion({ step, at: behind }) {
  const on = recipe.steps.flatMap((it, index) => (it.off ? [] : [index]));
  const index = behind === 0 ? 0 : on[behind - 1] + 1;
  edit(withSteps(recipe.steps.toSpliced(index, 0, { does: step, off: false })), { select: index + 1 });
}

function shownRows() {
  const rows = answer?.rows?.rows ?? [];
  return show === "kept" ? rows.filter((row) => !row.fate?.out) : rows;
}

// What is wrong with a row, by the columns as they are called now; what is of no column of them is of the row.
function withWords(row) {
  if (!row.findings?.length) return row;
  const said = new Map();
  for (const { column, message, severity } of row.findings) {
    const index = answer.rows.columns.findIndex((it) => it.name === column);
    const words = index < 0 && column ? `${column}: ${message}` : message;
    said.set(index, [...(said.get(index) ?? []), { words, severity }]);
  }
  return { ...row, said };
}

function showRows(next) {
  const before = show;
  show = next;
  $("[data-again]").hidden = next !== "random";
  // The first rows are there already.
  if (ofFirst(before) && ofFirst(next)) drawRows();
  else preview();
  drawRules();
}

// How many rows the whole recipe rejects is known when all its steps were counted.
function noteRejected() {
  const ledger = answer?.rows?.ledger ?? [];
  if (problems.length > 0) rejected = null;
  else if (ledger.length > 0 && sentIndex(at) === sentIndex(recipe.steps.length)) {
    const read = ledger.filter((it) => it.step === 0).reduce((sum, it) => sum + it.kept, 0);
    rejected = { count: ledger.reduce((sum, it) => sum + it.rejected + it.flagged, 0), of: read };
  }
}

function drawRows() {
  const rows = answer?.rows;
  if (!rows) return;
  drawHeads(rows.columns);
  openAsked();
  grid.reset(shownRows().length);
  drawCounts(rows);
  drawRules();
}

const sameRule = (one, other) => one && other && ["step", "column", "rule", "severity", "condition"].every((part) => one[part] === other[part]);

// The rules that rows break, with their counts over all rows; each shows its rows.
function drawRules() {
  const rules = problems.length > 0 ? [] : (answer?.rows?.rules ?? []);
  const wanted = show?.breaking;
  const select = $("[data-show]");
  const all = rules.reduce((sum, it) => sum + it.count, 0);
  select.querySelector("[value=wrong]").textContent = all > 0 ? `with mistakes (${count(all)})` : "with mistakes";
  select.querySelector("[value=rule]").hidden = !wanted;
  select.value = wanted ? "rule" : show;
  const place = $("[data-rules]");
  const drawn = JSON.stringify([rules, wanted]);
  if (place.dataset.drawn === drawn) return; // a click must not lose its button
  place.dataset.drawn = drawn;
  place.hidden = rules.length === 0;
  place.replaceChildren(...rules.map((it) => {
    const { message, count: often, ...rule } = it;
    const pressed = sameRule(wanted, rule);
    const words = [el("b", {}, count(often)), ` ${rule.column ? `${rule.column}: ` : ""}${ruleWords(rule, message)}`];
    return el("li", {}, el("button", { class: `button tiny ${rule.severity}`, type: "button", "aria-pressed": String(pressed), title: `Step ${rule.step}. The first: ${message}`, onclick: () => showRows(pressed ? "first" : { breaking: rule }) }, ...words));
  }));
}

// A rule in a few words; what it says of a value where there is no shorter way.
const RULES = { required: "is blank", unique: "is not unique", min: "is too small", max: "is too great", length: "has the wrong length", pattern: "has another form", one_of: "is not an allowed value", type: "has another type", not_integer: "is no whole number", not_mapped: "is not among the values", too_long: "is too long" };
const ruleWords = (rule, message) => (rule.severity === "warning" ? "warning, " : "") + (rule.condition ?? RULES[rule.rule] ?? message);

// A column that was picked in the workbook: its menu is what one came for.
let asked = new URLSearchParams(location.search).get("column");

function openAsked() {
  if (asked === null) return;
  openColumnMenu(Number(asked));
  asked = null;
  const url = new URL(location.href);
  url.searchParams.delete("column");
  history.replaceState(null, "", url);
}

// Heads that stay keep their focus and do not slip away under a click.
function drawHeads(columns) {
  const head = $("#grid .cols-row");
  const drawn = JSON.stringify(columns);
  if (head.dataset.columns === drawn) return;
  head.dataset.columns = drawn;
  const pattern = document.getElementById("column-head").content.firstElementChild;
  const heads = columns.map((column, index) => {
    const button = pattern.cloneNode(true);
    button.dataset.column = String(index);
    button.title = column.name;
    button.querySelector(".name span").textContent = column.name;
    button.querySelector(".about").textContent = WORDS[column.kind] ?? column.kind;
    button.querySelector("use").setAttribute("href", iconUrl(ICONS[column.kind] ?? "type"));
    button.setAttribute("aria-haspopup", "menu");
    return button;
  });
  head.replaceChildren(head.firstElementChild, ...heads);
}

function drawCounts(rows) {
  if (problems.length > 0) {
    $("[data-title-line]").textContent = "Rows from before the mistake";
    return $("[data-balance]").replaceChildren("They are counted again when it is mended.");
  }
  const place = at === 0 ? "The sheet as it was read" : `After step ${at}`;
  const total = rows.total;
  const read = rows.ledger.filter((it) => it.step === 0).reduce((sum, it) => sum + it.kept, 0);
  const change = total !== null && total !== undefined && read > 0 && total !== read ? ` (${total < read ? "−" : "+"}${count(Math.abs(read - total))})` : "";
  const title = total === null || total === undefined ? `${place}: ${shownWords(rows)}` : `${place}: ${count(total)} rows${change}`;
  const line = $("[data-balance]");
  $("[data-title-line]").textContent = title;
  line.toggleAttribute("aria-busy", rows.ledger.length === 0);
  if (rows.ledger.length === 0) return line.replaceChildren(rows.searched ? `Counting all rows, and searching them beyond row ${count(rows.searched)} for more that fail…` : "Counting all rows…");
  const sum = (name) => rows.ledger.reduce((all, it) => all + it[name], 0);
  const balanced = rows.ledger.every((it) => it.rows_in + it.added === it.kept + it.rejected + it.filtered + it.deduplicated + it.aggregated && it.hash_in === it.hash_out);
  const parts = [["filtered", "filtered"], ["rejected", "rejected"], ["deduplicated", "duplicates"], ["aggregated", "into groups"], ["flagged", "flagged"], ["warned", "with a warning"]].filter(([name]) => sum(name) > 0);
  const lookedUp = rows.ledger.map((it) => it.matches).filter(Boolean);
  const matches = [["one", "with one match"], ["none", "without a match"], ["several", "with several matches"], ["left_over", "of the other table without a match"]]
    .flatMap(([name, words]) => lookedUp.filter((it) => it[name] > 0).map((it) => el("span", {}, el("b", {}, count(it[name])), ` ${words}`)));
  line.replaceChildren(
    el("span", {}, "All ", el("b", {}, count(read)), " rows counted"),
    ...(show === "wrong" && rows.rows.length === 0 ? [el("span", {}, "no row fails")] : []),
    ...parts.map(([name, word]) => el("span", {}, el("b", {}, count(sum(name))), ` ${word}`)),
    ...matches,
    el("span", { class: `state ${balanced ? "good" : "bad"}` }, balanced ? "✓ balanced" : "✗ does not balance"));
}

// Which rows are in view, before they are counted.
function shownWords(rows) {
  const some = count(rows.rows.length);
  if (show === "random") return `${some} random rows`;
  if (ofFirst(show)) return `the first ${some} rows`;
  const among = rows.searched ? ` among the first ${count(rows.searched)}` : "";
  return rows.rows.length === 0 ? `no row fails${among}` : `the first ${some} rows that fail${among}`;
}

const ICONS = { blank: "circle-dashed", integer: "hash", decimal: "hash", boolean: "toggle-left", date: "calendar", date_time: "calendar-clock", time: "clock", text: "type", mixed: "shuffle" };
const WORDS = { integer: "whole number", decimal: "number", boolean: "true or false", date_time: "date and time" };

// ---- The menu of a column: steps that fit what is in it

const quoted = (name) => (/^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

function stepsFor(column, others) {
  const { name, kind } = column;
  const numeric = kind === "integer" || kind === "decimal";
  const texts = kind === "text" || kind === "mixed";
  const condition = numeric ? `${quoted(name)} > 0` : texts ? `${quoted(name)} <> ''` : `${quoted(name)} is not null`;
  const to = texts ? (/date|day|datum/i.test(name) ? "date" : "decimal") : "text";
  return [
    texts && ["Remove blanks around text", { trim: { columns: [name] } }],
    ["Rename", { rename: [[name, name]] }],
    others.length > 0 && ["Remove this column", { drop: { columns: [name] } }],
    others.length > 0 && ["Move to the front", { move: { columns: [name], to: "first" } }],
    others.length > 0 && ["Move to the end", { move: { columns: [name], to: "last" } }],
    [`Convert to ${to}`, { convert: { column: name, to } }],
    ["Keep rows where…", { filter: { keep: condition } }],
    numeric && ["Compute from it", { compute: { column: `${name} 2`, as: quoted(name) } }],
    numeric && ["Add a running total", { running_total: { column: freshName(`${name} so far`), of: name } }],
    ["Fill blank cells from above", { fill: { columns: [name], direction: "down" } }],
    ["Check it", { validate: { rules: [{ column: name, required: true }] } }],
    ["Keep one row of each value", { deduplicate: { by: [name], keep: "first" } }],
    ["Sort ascending", { sort: { by: [{ column: name, order: "ascending" }] } }],
    ["Sort descending", { sort: { by: [{ column: name, order: "descending" }] } }],
    ["Group by it", { group: { by: [name], totals: [["rows", "count(*)"]] } }],
  ].filter(Boolean).filter(([, does]) => definitionOf(Object.keys(does)[0]));
}

// Steps for text, each with something from the rows in view to begin with.
function textStepsFor({ name, kind }, others) {
  if (!["text", "mixed", "integer"].includes(kind)) return [];
  const seen = valuesOf(name);
  const longest = seen.reduce((most, value) => Math.max(most, [...value].length), 1);
  const beside = others[0];
  const fill = ["Fill up to a length", { pad: { columns: [name], length: longest, with: "0" } }];
  const exchange = ["Exchange values…", { map: mapOf(name, seen) }];
  if (kind === "integer") return [exchange, fill];
  const found = seen[0] ?? "n/a";
  return [
    ["Begin words with capitals", { case: { columns: [name], to: "title" } }],
    ["Replace text…", { replace: { columns: [name], find: found, with: found } }],
    exchange,
    ["Split into columns", { split: splitOf(name, seen) }],
    ["Take a part out…", { extract: { column: name, pattern: "([0-9]+)", into: [freshName(`${name} number`)], otherwise: "blank" } }],
    beside && ["Combine with another column", { combine: { columns: [name, beside], into: freshName(`${name} and ${beside}`), separator: " " } }],
    fill,
    ["Unify characters", { normalise: { columns: [name], form: "NFC" } }],
  ].filter(Boolean);
}

/** The different texts of a column among the rows in view, those that come first in front. */
function valuesOf(name) {
  const index = answer?.rows?.columns.findIndex((it) => it.name === name) ?? -1;
  const texts = (answer?.rows?.rows ?? []).map((row) => row.cells[index]?.text ?? "");
  return [...new Set(texts)].filter((text) => text !== "" && text.length <= 200);
}

// Each value for itself, to be overwritten. A number stands there without its format, as the step compares it.
function mapOf(name, seen) {
  const kind = answer?.rows?.columns.find((it) => it.name === name)?.kind;
  const plain = seen.filter((value) => kind !== "integer" || /^-?[0-9]+$/.test(value)).slice(0, 12);
  return { column: name, values: plain.length > 0 ? plain.map((value) => [value, value]) : [["n/a", ""]], otherwise: "keep" };
}

// The separator that most of the values have, and as many columns as one of them needs.
function splitOf(name, seen) {
  const separators = [", ", "; ", " - ", ",", ";", "/", "|", "-", "_", " "];
  const often = (it) => seen.filter((value) => value.includes(it)).length;
  const separator = separators.find((it) => often(it) * 2 > seen.length) ?? separators.find((it) => often(it) > 0) ?? " ";
  const parts = seen.reduce((most, value) => Math.max(most, value.split(separator).length), 2);
  const into = Array.from({ length: Math.min(parts, 6) }, (_, part) => freshName(`${name} ${part + 1}`));
  return { column: name, separator, into };
}

// A name that no column has yet.
function freshName(wanted) {
  const names = (answer?.rows?.columns ?? []).map((it) => it.name);
  let name = wanted;
  for (let number = 2; names.includes(name); number += 1) name = `${wanted} (${number})`;
  return name;
}

function openColumnMenu(index) {
  const column = answer?.rows?.columns[index];
  const head = $(`#grid .colhead[data-column="${index}"]`);
  if (!column || !head) return;
  const menu = $(".columnmenu");
  const pop = menu.querySelector(".pop");
  const others = answer.rows.columns.map((it) => it.name).filter((it) => it !== column.name);
  const entries = (steps) => steps.map(([title, does]) => el("button", { type: "button", role: "menuitem", onclick: () => { closeColumnMenu(); addStep(does); } }, title));
  const texts = textStepsFor(column, others);
  pop.replaceChildren(el("h3", {}, column.name), ...entries(stepsFor(column, others)), ...(texts.length > 0 ? [el("h3", {}, "Its text"), ...entries(texts)] : []));
  const box = head.getBoundingClientRect();
  menu.hidden = false;
  pop.style.position = "fixed";
  pop.style.insetInlineEnd = "auto";
  pop.style.top = `${box.bottom + 4}px`;
  pop.style.maxHeight = `${Math.max(240, innerHeight - box.bottom - 16)}px`;
  pop.style.left = `${Math.max(8, Math.min(box.left, innerWidth - 240))}px`;
  pop.querySelector("button")?.focus();
}

// Arrows go through the menu, as in any other.
function menuKey(event) {
  const entries = [...event.currentTarget.querySelectorAll("[role=menuitem]")];
  const at = entries.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
  if (to === undefined) return;
  entries.at(to % entries.length)?.focus();
  event.preventDefault();
}

function closeColumnMenu() {
  $(".columnmenu").hidden = true;
}

// ---- Text form

function drawTextProblems() {
  const where = (it) => (it.line > 0 ? `Line ${it.line}, column ${it.column}: ` : it.step ? `Step ${it.step}: ` : "");
  $("[data-text-problems]").replaceChildren(...problems.map((it) => el("p", { class: "note bad small" }, el("span", {}, where(it), ...prose(it.message)))));
}

// ---- Saving and running

// What happens when a save that met another one is decided on: a run that waits for it goes on.
let decided = null;

async function save({ note = "", how = "next" } = {}) {
  const off = recipe.steps.filter((step) => step.off).length;
  const body = JSON.stringify({ document: documentOf(recipe), note, how, base: id ? newest : null });
  const response = await fetch(id ? `/recipes/${id}` : "/recipes", { method: "POST", headers: headers({ "Content-Type": "application/json" }), body }).catch(() => null);
  const told = await response?.json().catch(() => null);
  if (told?.conflict) return meet(told.conflict, note);
  if (!response?.ok || told?.problems) {
    if (told?.problems) {
      problems = told.problems;
      drawSteps();
      drawProblems();
      drawTextProblems();
    }
    say(told?.detail ?? told?.problems?.[0]?.message ?? "It could not be saved. Try again.");
    return false;
  }
  saved = JSON.stringify(documentOf(recipe));
  if (how === "copy") {
    location.assign(`/recipes/${told.id}${location.search}`);
    return false;
  }
  if (!id) {
    id = told.id;
    localStorage.setItem(`tables:${id}`, JSON.stringify(bound));
    const url = new URL(location.href);
    url.pathname = `/recipes/${id}`;
    url.searchParams.delete("add");
    history.replaceState(null, "", url);
  }
  $("[data-saved]").replaceChildren(el("a", { href: `/recipes/${id}/revisions` }, `revision ${told.revision}`));
  $("[data-run] input[name='recipe']").value = id;
  $("[data-note]").value = "";
  drawSteps();
  newest = told.revision;
  say(`Saved as revision ${told.revision}${off > 0 ? `, without the ${off} switched off` : ""}.`);
  return true;
}

// Somebody saved the recipe since it was opened here: what is different, and what to do. False where nothing was saved.
function meet(conflict, note) {
  const dialog = $("[data-conflict]");
  dialog.querySelector("[data-told]").innerHTML = conflict.html; // our own template, escaped there
  dialog.querySelector("[data-anyway]").textContent = `Save yours as revision ${conflict.latest + 1}`;
  decided?.(null);
  dialog.showModal();
  return new Promise((resolve) => {
    decided = (how) => {
      decided = null;
      dialog.close();
      if (how === null) return resolve(false);
      if (how === "next") newest = conflict.latest;
      return resolve(save({ note, how }));
    };
  });
}

// ---- Beginnings

function listSteps() {
  const wanted = $("[data-find]").value.trim().toLowerCase();
  const fits = (it) => `${it.title} ${it.about} ${it.name}`.toLowerCase().includes(wanted);
  $("[data-list]").replaceChildren(...definitions.filter(fits).map((it) =>
    el("button", { type: "button", onclick: () => addStep({ [it.name]: freshOptions(it) }) }, icon(STEP_ICONS[it.name] ?? "list-checks"), el("b", {}, it.title), el("span", {}, it.about))));
}

const STEP_ICONS = { trim: "scissors", case: "type", replace: "pencil", map: "shuffle", split: "columns-3", extract: "search", combine: "layers", pad: "hash", normalise: "wand-sparkles", drop: "x", move: "arrow-right", rename: "pencil", select: "columns-3", convert: "binary", filter: "list-filter", compute: "sigma", validate: "list-checks", mask: "eye-off", deduplicate: "copy-x", sort: "arrow-up-down", group: "group", join: "table-2", append: "layers", compare: "list-checks", fill: "arrow-down", first: "arrow-up", last: "arrow-down", sample: "shuffle", number_rows: "hash", running_total: "sigma", difference: "minus", rank: "arrow-up-down", blank_rows: "circle-dashed", blank_columns: "circle-dashed", unpivot: "layers", pivot: "table-2" };

function icon(name) {
  const svg = document.querySelector("#column-head").content.querySelector("svg").cloneNode(true);
  svg.querySelector("use").setAttribute("href", iconUrl(name));
  return svg;
}

// What a new step begins with: something that works on this table and can be changed.
function freshOptions(definition) {
  const columns = answer?.rows?.columns ?? [];
  const first = columns[0]?.name ?? "";
  const number = columns.find((it) => it.kind === "integer" || it.kind === "decimal")?.name ?? first;
  const words = columns.find((it) => it.kind === "text" || it.kind === "mixed")?.name ?? first;
  const found = valuesOf(words);
  const fresh = {
    trim: { columns: "all" },
    case: { columns: [words], to: "title" },
    replace: { columns: [words], find: found[0] ?? "n/a", with: found[0] ?? "n/a" },
    map: mapOf(words, found),
    split: splitOf(words, found),
    extract: { column: words, pattern: "([0-9]+)", into: [freshName(`${words} number`)], otherwise: "blank" },
    combine: { columns: columns.slice(0, 2).map((it) => it.name), into: freshName("combined"), separator: " " },
    pad: { columns: [first], length: 5, with: "0" },
    normalise: { columns: [words], form: "NFC" },
    drop: { columns: columns.slice(-1).map((it) => it.name) },
    move: { columns: columns.slice(-1).map((it) => it.name), to: "first" },
    rename: [[first, first]],
    select: { columns: columns.map((it) => it.name) },
    convert: { column: columns.find((it) => it.kind === "text")?.name ?? first, to: "text" },
    filter: { keep: number === first && columns[0]?.kind === "text" ? `${quoted(first)} <> ''` : `${quoted(number)} > 0` },
    compute: { column: "new column", as: quoted(number) },
    validate: { rules: [{ column: first, required: true }] },
    mask: { columns: [first], with: "last", keep: 4 },
    deduplicate: { by: [first], keep: "first" },
    sort: { by: [{ column: first, order: "ascending" }] },
    group: { by: [first], totals: [["rows", "count(*)"]] },
    join: { with: "", on: [[first, first]] },
    append: {},
    compare: { with: "", by: [[first, first]] },
    fill: { columns: [words], direction: "down" },
    first: { rows: 100 },
    last: { rows: 100 },
    sample: { rows: 100 },
    number_rows: { column: freshName("number") },
    running_total: { column: freshName("running total"), of: number },
    difference: { column: freshName("difference"), of: number },
    rank: { column: freshName("rank"), of: number },
    unpivot: { columns: columns.filter((it) => it.name !== first && it.kind === columns.at(-1)?.kind).map((it) => it.name), names: freshName("column"), values: freshName("value") },
    pivot: { rows: [first], names: words, columns: found.slice(0, 5), values: number, total: "count" },
    blank_rows: { columns: "all" },
    blank_columns: { columns: "all" },
  };
  return fresh[definition.name] ?? {};
}

function listen() {
  $("[data-name]").addEventListener("input", (event) => edit({ ...recipe, name: event.target.value }, { redraw: false, merge: true }));
  $("[data-undo]").addEventListener("click", () => travel(past, future));
  $("[data-redo]").addEventListener("click", () => travel(future, past));
  $("[data-save]").addEventListener("click", () => save());
  $("[data-noted]").addEventListener("submit", async (event) => {
    event.preventDefault();
    $("[data-noting]").open = false;
    await save({ note: $("[data-note]").value });
  });
  $("[data-noting]").addEventListener("toggle", (event) => event.target.open && $("[data-note]").focus());
  $("[data-anyway]").addEventListener("click", () => decided?.("next"));
  $("[data-copy]").addEventListener("click", () => decided?.("copy"));
  $("[data-later]").addEventListener("click", () => decided?.(null));
  $("[data-conflict]").addEventListener("close", () => decided?.(null));
  $("[data-find]").addEventListener("input", listSteps);
  $("[data-add]").addEventListener("toggle", (event) => {
    if (!event.target.open) return;
    $("[data-find]").value = "";
    listSteps();
    $("[data-find]").focus();
  });
  $("[data-find]").addEventListener("focus", () => ($("[data-add]").open = true));
  $("[data-show]").addEventListener("change", (event) => showRows(event.target.value));
  $("[data-again]").addEventListener("click", () => {
    seed += 1;
    preview();
  });
  $("[data-file]")?.addEventListener("change", () => preview());
  $("[data-apply]").addEventListener("click", () => preview($("[data-yaml]").value));
  $("[data-text]").addEventListener("click", (event) => {
    const form = $("#text");
    form.hidden = !form.hidden;
    $("#builder").classList.toggle("text", !form.hidden);
    event.currentTarget.setAttribute("aria-expanded", String(!form.hidden));
  });
  $("#grid").addEventListener("click", (event) => {
    const head = event.target.closest(".colhead[data-column]");
    if (head) openColumnMenu(Number(head.dataset.column));
  });
  document.addEventListener("click", (event) => !event.target.closest(".columnmenu, .colhead") && closeColumnMenu());
  $(".columnmenu .pop").addEventListener("keydown", menuKey);
  document.addEventListener("keydown", keys);
  $("[data-run] form").addEventListener("submit", runNow);
  $("[data-run] form").addEventListener("change", offerRun);
  offerRun();
  addEventListener("beforeunload", (event) => JSON.stringify(documentOf(recipe)) !== saved && event.preventDefault());
  dragSteps();
}

function keys(event) {
  if (event.key === "Escape") closeColumnMenu();
  if (!(event.ctrlKey || event.metaKey)) return;
  const inText = event.target.matches?.("textarea");
  if (event.key === "s") save();
  else if (event.key.toLowerCase() === "z" && !inText) travel(...(event.shiftKey ? [future, past] : [past, future]));
  else return;
  event.preventDefault();
}

function offerRun() {
  const go = $("[data-run] .go");
  if (go) go.disabled = !$("[data-run] input[name='files[]']:checked");
}

// A run uses a saved revision: what is in view is saved first.
async function runNow(event) {
  $("[data-references]").value = JSON.stringify(boundTables());
  if (id && JSON.stringify(documentOf(recipe)) === saved) return;
  event.preventDefault();
  if (await save()) event.target.submit();
}

function dragSteps() {
  const list = $("[data-steps]");
  let from = null;
  const lineAt = (event) => event.target.closest("li[data-index]");
  const unmark = () => list.querySelectorAll(".over").forEach((line) => line.classList.remove("over"));
  list.addEventListener("dragstart", (event) => {
    from = Number(lineAt(event)?.dataset.index ?? -1);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", String(from));
  });
  list.addEventListener("dragover", (event) => {
    if (from === null) return;
    event.preventDefault();
    unmark();
    lineAt(event)?.classList.add("over");
  });
  list.addEventListener("drop", (event) => {
    event.preventDefault();
    const line = lineAt(event);
    if (line && from !== null && from >= 0) moveStep(from, Number(line.dataset.index));
  });
  list.addEventListener("dragend", () => {
    from = null;
    unmark();
  });
}

listen();
draw();
preview();
