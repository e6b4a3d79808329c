// A grid over as many rows as there are: only what is seen is in the page, and only what was seen is fetched.
//
// Browsers cannot make an element taller than some 17 to 33 million pixels, and a million rows are 28 million. So the
// scrolled space is at most MOST_PIXELS high and stands for a taller one: small movements move rows by as many pixels as
// the wheel says, and only jumps of the scroll bar are scaled.

const ROW = 28;
const MOST_PIXELS = 6_000_000;
const BLOCK = 200; // rows of one request, fewer where there are many columns
const BLOCK_CELLS = 100_000;
const KEPT_BLOCKS = 60;
const NUMBERS = 76; // width of the column with Excel's row numbers
const LETTER = 7.8;

const count = new Intl.NumberFormat("en").format;

export class Grid {
  /**
   * root: an element that holds .gridhead with .colhead elements, .gridscroll and .gridfoot.
   * load(offset, limit, signal): the rows of a window, as { rows: [{ row, fate, cells: [{ text, kind, changed }] }] }.
   * onColumn(index): a column was asked for by the keyboard.
   * onRow(index): the number of a row was clicked, or asked for by Shift and Enter.
   */
  constructor(root, { total, load, onColumn = () => {}, onRow = null }) {
    this.head = root.querySelector(".gridhead");
    this.scroller = root.querySelector(".gridscroll");
    this.value = root.querySelector(".gridfoot .value");
    this.where = root.querySelector(".gridfoot .where");
    this.load = load;
    this.onColumn = onColumn;
    this.onRow = onRow;
    this.space = document.createElement("div");
    this.space.className = "gridspace";
    this.space.setAttribute("role", "presentation");
    this.scroller.replaceChildren(this.space);
    this.active = { row: 0, column: 0 };
    this.shown = new Map();
    this.spare = [];
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.scroller.addEventListener("keydown", (event) => this.pressed(event));
    this.scroller.addEventListener("mousedown", (event) => this.clicked(event));
    this.scroller.addEventListener("copy", (event) => this.copied(event));
    this.watch = new ResizeObserver(() => this.render());
    this.watch.observe(this.scroller);
    this.reset(total);
  }

  /** Another table, or the same one changed: columns are those of the head now. */
  reset(total) {
    this.total = total;
    const columns = this.head.querySelectorAll(".colhead[data-column]").length;
    this.block = Math.max(1, Math.min(BLOCK, Math.floor(BLOCK_CELLS / Math.max(1, columns))));
    this.blocks = new Map();
    this.asked = new Map();
    this.widths = null;
    this.page = 0;
    this.offset = 0;
    this.before = 0;
    for (const row of this.shown.values()) this.spare.push(row);
    this.shown.clear();
    for (const row of this.spare) row.remove();
    this.measure();
    this.layColumns();
    this.scroller.setAttribute("aria-rowcount", String(total));
    this.active.row = Math.min(this.active.row, Math.max(0, total - 1));
    this.scrolled();
  }

  // Heights: `tall` is what the rows would take, `real` what the browser gets.
  measure() {
    this.tall = Math.max(this.total * ROW, 1);
    this.real = Math.min(this.tall, MOST_PIXELS);
    this.pageHeight = this.real / 100;
    this.pages = Math.max(1, Math.floor(this.tall / this.pageHeight));
    this.jump = this.pages > 1 ? (this.tall - this.real) / (this.pages - 1) : 0;
    this.space.style.height = `${this.real}px`;
  }

  layColumns(sample = []) {
    const heads = [...this.head.querySelectorAll(".colhead[data-column]")];
    this.widths = heads.map((head, index) => {
      const name = head.querySelector(".name")?.textContent.trim().length ?? 0;
      const about = head.querySelector(".about")?.textContent.trim().length ?? 0;
      const longest = sample.reduce((most, row) => Math.max(most, row.cells[index]?.text.length ?? 0), 0);
      return Math.round(Math.min(340, Math.max(104, (name + 4) * LETTER + 20, Math.min(about * 6.6, 180) + 24, longest * LETTER + 26)));
    });
    this.lefts = [];
    let left = NUMBERS;
    for (const width of this.widths) {
      this.lefts.push(left);
      left += width;
    }
    this.wide = left;
    heads.forEach((head, index) => (head.style.width = `${this.widths[index]}px`));
    this.space.style.width = `${left}px`;
    for (const row of this.shown.values()) row.style.width = `${left}px`;
    this.scroller.setAttribute("aria-colcount", String(heads.length + 1));
  }

  scrolled() {
    const top = this.scroller.scrollTop;
    const height = this.scroller.clientHeight;
    if (Math.abs(top - this.before) < height || this.jump === 0) {
      this.before = top;
      this.settle(top + this.offset);
    } else {
      // The scroll bar was dragged: its place among the real pixels is the place among the rows.
      const share = (this.tall - height) / Math.max(1, this.real - height);
      this.page = Math.min(this.pages - 1, Math.floor((top * share) / this.pageHeight));
      this.offset = Math.round(this.page * this.jump);
      this.before = top;
      for (const [index, row] of this.shown) this.place(row, index);
    }
    this.head.scrollLeft = this.scroller.scrollLeft;
    this.render();
  }

  // Keeps page and offset right for a place among the rows, in tall pixels.
  settle(y) {
    const limited = Math.min(Math.max(y, 0), Math.max(0, this.tall - this.scroller.clientHeight));
    const page = Math.min(this.pages - 1, Math.floor(limited / this.pageHeight));
    const offset = Math.round(page * this.jump);
    if (page === this.page && offset === this.offset) return;
    this.page = page;
    this.offset = offset;
    this.before = limited - offset;
    this.scroller.scrollTop = this.before;
    for (const [index, row] of this.shown) this.place(row, index);
  }

  get top() {
    return this.scroller.scrollTop + this.offset;
  }

  visible() {
    const height = this.scroller.clientHeight;
    const first = Math.max(0, Math.floor(this.top / ROW));
    const last = Math.min(this.total - 1, Math.ceil((this.top + height) / ROW) - 1);
    return { first, last };
  }

  visibleColumns() {
    const left = this.scroller.scrollLeft;
    const right = left + this.scroller.clientWidth;
    let first = 0;
    while (first < this.lefts.length && this.lefts[first] + this.widths[first] < left + NUMBERS) first += 1;
    let last = first;
    while (last < this.lefts.length && this.lefts[last] < right) last += 1;
    return { first: Math.max(0, first - 1), last: Math.min(this.lefts.length - 1, last) };
  }

  render() {
    const { first, last } = this.visible();
    const over = 4;
    const from = Math.max(0, first - over);
    const to = Math.min(this.total - 1, last + over);
    for (const [index, row] of this.shown) {
      if (index < from || index > to) {
        this.shown.delete(index);
        this.spare.push(row);
      }
    }
    const columns = this.visibleColumns();
    for (let index = from; index <= to; index += 1) {
      let row = this.shown.get(index);
      if (!row) {
        row = this.spare.pop() ?? this.newRow();
        this.shown.set(index, row);
        row.style.width = `${this.wide}px`;
        row.dataset.key = "";
        this.place(row, index);
      }
      this.fill(row, index, columns);
    }
    for (const row of this.spare) row.remove();
    this.fetchFor(from, to);
    this.tell(first, last);
  }

  newRow() {
    const row = document.createElement("div");
    row.setAttribute("role", "row");
    return row;
  }

  place(row, index) {
    row.style.transform = `translateY(${index * ROW - this.offset}px)`;
    if (!row.isConnected) this.space.append(row);
  }

  // Fills a row's cells, but only when something about them has changed.
  fill(row, index, columns) {
    const data = this.rowAt(index);
    const at = this.active.row === index ? this.active.column : -1;
    const key = `${index}/${data ? 1 : 0}/${columns.first}-${columns.last}/${at}`;
    if (row.dataset.key === key) return;
    row.dataset.key = key;
    const out = data?.fate?.out;
    row.className = `gridrow${data ? "" : " waiting"}${out ? ` out ${out.how}` : ""}${!out && data?.findings?.length ? " flagged" : ""}`;
    row.setAttribute("aria-rowindex", String(index + 1));
    const cells = [this.numberCell(data, out)];
    for (let column = columns.first; column <= columns.last; column += 1) cells.push(this.cell(data, index, column, at === column));
    row.replaceChildren(...cells);
  }

  numberCell(data, out) {
    const cell = document.createElement("div");
    cell.className = "cell rownum";
    cell.setAttribute("role", "rowheader");
    cell.style.width = `${NUMBERS}px`;
    cell.textContent = data ? (data.row ? count(data.row) : "") : "";
    if (out) cell.title = `${out.how} by step ${out.step}: ${out.why}`;
    const said = data?.said?.get(-1);
    if (said && !out) cell.title = said.map((it) => it.words).join("; ");
    if (said) cell.classList.add(said.some((it) => it.severity === "error") ? "wrong" : "odd");
    return cell;
  }

  cell(data, index, column, at) {
    const cell = document.createElement("div");
    const value = data?.cells[column];
    cell.className = `cell ${value?.kind ?? ""}${value?.changed ? " changed" : ""}${at ? " at" : ""}`;
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-colindex", String(column + 2));
    cell.dataset.column = String(column);
    cell.style.left = `${this.lefts[column]}px`;
    cell.style.width = `${this.widths[column]}px`;
    cell.textContent = value?.text ?? "";
    const said = data?.said?.get(column);
    if (said) {
      cell.classList.add(said.some((it) => it.severity === "error") ? "wrong" : "odd");
      cell.title = said.map((it) => it.words).join("; ");
      cell.setAttribute("aria-invalid", "true");
    }
    if (at) {
      cell.id = "active-cell";
      cell.setAttribute("aria-selected", "true");
      this.scroller.setAttribute("aria-activedescendant", "active-cell");
    }
    return cell;
  }

  rowAt(index) {
    return this.blocks.get(Math.floor(index / this.block))?.[index % this.block];
  }

  fetchFor(from, to) {
    clearTimeout(this.soon);
    const wanted = [];
    for (let block = Math.floor(from / this.block); block <= Math.floor(Math.max(from, to) / this.block); block += 1) {
      if (!this.blocks.has(block) && block * this.block < this.total) wanted.push(block);
    }
    for (const [block, request] of this.asked) {
      if (!wanted.includes(block)) {
        request.abort();
        this.asked.delete(block);
      }
    }
    const missing = wanted.filter((block) => !this.asked.has(block));
    // A dragged scroll bar passes thousands of rows that nobody reads.
    if (missing.length > 0) this.soon = setTimeout(() => missing.forEach((block) => this.fetch(block)), this.blocks.size ? 40 : 0);
  }

  async fetch(block) {
    if (this.asked.has(block) || this.blocks.has(block)) return;
    const request = new AbortController();
    const blocks = this.blocks;
    this.asked.set(block, request);
    try {
      const { rows } = await this.load(block * this.block, this.block, request.signal);
      if (blocks !== this.blocks) return; // another table meanwhile
      const first = blocks.size === 0;
      blocks.set(block, rows);
      if (blocks.size > KEPT_BLOCKS) blocks.delete(blocks.keys().next().value);
      if (first) this.layColumns(rows.slice(0, 60));
      for (const row of this.shown.values()) row.dataset.key = "";
      this.problem = null;
    } catch (error) {
      if (error.name === "AbortError") return;
      this.problem = error.message;
      setTimeout(() => this.render(), 3000);
    } finally {
      if (this.asked.get(block) === request) this.asked.delete(block);
    }
    this.render();
  }

  tell(first, last) {
    const cell = this.rowAt(this.active.row)?.cells[this.active.column];
    if (this.value) this.value.replaceChildren(this.problem ?? cell?.text ?? "", ...this.words());
    if (this.where) {
      this.where.textContent = this.total === 0 ? "no rows" : `rows ${count(first + 1)} to ${count(last + 1)} of ${count(this.total)}`;
    }
  }

  // What is wrong with the active cell, or with its row.
  words() {
    const data = this.rowAt(this.active.row);
    const said = [...(data?.said?.get(this.active.column) ?? []), ...(data?.said?.get(-1) ?? [])];
    const out = data?.fate?.out;
    const words = said.length > 0 ? said.map((it) => it.words).join("; ") : out ? `${out.how} by step ${out.step}: ${out.why}` : "";
    if (words === "") return [];
    const line = document.createElement("span");
    line.className = "said";
    line.textContent = words;
    return [line];
  }

  clicked(event) {
    const number = this.onRow && event.target.closest(".rownum");
    if (number) this.onRow(Number(number.parentElement.getAttribute("aria-rowindex")) - 1);
    const cell = event.target.closest(".cell[data-column]");
    const row = cell?.closest(".gridrow");
    if (row) this.go(Number(row.getAttribute("aria-rowindex")) - 1, Number(cell.dataset.column));
  }

  copied(event) {
    const text = this.rowAt(this.active.row)?.cells[this.active.column]?.text;
    if (text === undefined || !getSelection().isCollapsed) return;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  }

  pressed(event) {
    const screen = Math.max(1, Math.floor(this.scroller.clientHeight / ROW) - 1);
    const { row, column } = this.active;
    const end = this.total - 1;
    const last = this.widths.length - 1;
    const all = event.ctrlKey || event.metaKey;
    const moves = {
      ArrowDown: [all ? end : row + 1, column],
      ArrowUp: [all ? 0 : row - 1, column],
      ArrowRight: [row, all ? last : column + 1],
      ArrowLeft: [row, all ? 0 : column - 1],
      PageDown: [row + screen, column],
      PageUp: [row - screen, column],
      Home: [all ? 0 : row, 0],
      End: [all ? end : row, last],
    };
    if (event.key === "Enter" && event.shiftKey && this.onRow) this.onRow(row);
    else if (event.key === "Enter") this.onColumn(column);
    else if (moves[event.key] && !event.altKey) this.go(...moves[event.key]);
    else return;
    event.preventDefault();
  }

  /** Makes a cell the active one and brings it into view. */
  go(row, column) {
    this.active = {
      row: Math.min(Math.max(row, 0), Math.max(0, this.total - 1)),
      column: Math.min(Math.max(column, 0), Math.max(0, this.widths.length - 1)),
    };
    const top = this.active.row * ROW;
    const height = this.scroller.clientHeight;
    if (top < this.top) this.moveTo(top);
    else if (top + ROW > this.top + height) this.moveTo(top + ROW - height);
    const left = this.lefts[this.active.column] ?? 0;
    const right = left + (this.widths[this.active.column] ?? 0);
    if (left - NUMBERS < this.scroller.scrollLeft) this.scroller.scrollLeft = left - NUMBERS;
    else if (right > this.scroller.scrollLeft + this.scroller.clientWidth) this.scroller.scrollLeft = right - this.scroller.clientWidth;
    this.render();
  }

  moveTo(y) {
    this.settle(y);
    this.before = y - this.offset;
    this.scroller.scrollTop = this.before;
  }

  /** Goes to the row that Excel gives this number. Rows may be missing, so the first guess is mended a few times. */
  async goToNumber(number, column) {
    let index = Math.min(Math.max(0, number - 2), Math.max(0, this.total - 1));
    for (let tries = 0; tries < 6; tries += 1) {
      const block = Math.floor(index / this.block);
      await this.fetch(block);
      const found = this.rowAt(index)?.row;
      if (found === undefined || found === number) break;
      const next = Math.min(Math.max(0, index + (number - found)), this.total - 1);
      if (next === index) break;
      index = next;
    }
    this.go(index, column);
    this.scroller.focus();
  }
}
