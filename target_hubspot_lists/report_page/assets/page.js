"use strict";
// Sorts, filters, pages and copies the tables. Whatever comes from a report is set as text, never as HTML.
(() => {
  const NUMBER = new Intl.NumberFormat("en");
  const compare = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;
  const byId = (id) => document.getElementById(id);

  /** A table whose rows are all in memory, and of which one page is shown. */
  class Pages {
    constructor(name, rows, draw, perPage) {
      this.table = byId(name);
      this.body = this.table.tBodies[0];
      this.rows = rows;
      this.found = rows;
      this.draw = draw;
      this.perPage = perPage;
      this.page = 0;
      this.status = byId(`${name}-status`);
      this.previous = byId(`${name}-previous`);
      this.next = byId(`${name}-next`);
      this.previous.addEventListener("click", () => this.show(this.page - 1));
      this.next.addEventListener("click", () => this.show(this.page + 1));
      [...this.table.tHead.rows[0].cells].forEach((cell, column) => this.makeSortable(cell, column));
    }

    makeSortable(cell, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = cell.textContent;
      cell.textContent = "";
      cell.append(button);
      button.addEventListener("click", () => {
        const descends = cell.getAttribute("aria-sort") === "ascending";
        for (const other of this.table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", descends ? "descending" : "ascending");
        this.order = (a, b) => {
          const [one, two] = [a.values[column], b.values[column]];
          const result = typeof one === "number" && typeof two === "number" ? one - two : compare(one, two);
          return (descends ? -result : result) || a.position - b.position;
        };
        this.show(0);
      });
    }

    filter(keeps) {
      this.found = this.rows.filter(keeps);
      this.show(0);
    }

    sorted() {
      return this.order ? [...this.found].sort(this.order) : this.found;
    }

    show(page) {
      const pages = Math.max(1, Math.ceil(this.found.length / this.perPage));
      this.page = Math.min(Math.max(page, 0), pages - 1);
      const start = this.page * this.perPage;
      const shown = this.sorted().slice(start, start + this.perPage);
      this.body.replaceChildren(...shown.map(this.draw));
      const total = NUMBER.format(this.found.length);
      const some = this.found.length > shown.length;
      this.status.textContent = some
        ? `${NUMBER.format(start + 1)} to ${NUMBER.format(start + shown.length)} of ${total}`
        : this.found.length === 1 ? "1 row" : `${total} rows`;
      this.previous.hidden = this.next.hidden = pages === 1;
      // Not `disabled`: a button that has the focus would lose it.
      this.previous.setAttribute("aria-disabled", this.page === 0);
      this.next.setAttribute("aria-disabled", this.page === pages - 1);
    }
  }

  const contains = (text, wanted) => text.toLocaleLowerCase().includes(wanted);

  function lists() {
    if (!byId("lists")) return;
    const rows = [...byId("lists").tBodies[0].rows].map((row, position) => ({
      position,
      row,
      text: row.textContent,
      values: [...row.cells].map((cell) => {
        const value = cell.dataset.v;
        return value === undefined ? cell.textContent.trim() : value === "" ? -1 : Number(value);
      }),
    }));
    const table = new Pages("lists", rows, (each) => each.row, 25);
    const search = byId("lists-search");
    search.addEventListener("input", () => {
      const wanted = search.value.trim().toLocaleLowerCase();
      table.filter((each) => contains(each.text, wanted));
    });
    byId("lists-tools").hidden = rows.length < 8;
    table.show(0);
  }

  function cell(row, heading, ...content) {
    const made = row.insertCell();
    made.dataset.h = heading;
    made.append(...content);
    return made;
  }

  function isolated(text) {
    const made = document.createElement("bdi");
    made.textContent = text;
    return made;
  }

  function memberRow(each) {
    const row = document.createElement("tr");
    const heading = document.createElement("th");
    heading.scope = "row";
    heading.append(isolated(each.member));
    if (each.contact) {
      const link = document.createElement("a");
      link.href = each.contact;
      link.rel = "noopener noreferrer";
      link.target = "_blank";
      link.textContent = "contact";
      link.setAttribute("aria-label", `contact ${each.recordId} in HubSpot`);
      heading.append(" ", link);
    }
    row.append(heading);
    cell(row, "List", isolated(each.list)).className = "text";
    cell(row, "What", each.what);
    const why = document.createElement("div");
    const words = document.createElement("div");
    words.className = "soft";
    words.append(isolated(each.message));
    why.append(isolated(each.why), words);
    cell(row, "Why", why).className = "words";
    cell(row, "Since", each.since).className = "date";
    return row;
  }

  function members() {
    const source = byId("members-data");
    if (!source) return;
    const { groups, lists, reasons, rows: packed } = JSON.parse(source.textContent);
    const rows = packed.map(([group, list, member, recordId, operation, reason, property, message, since], position) => {
      const [title, meaning, todo] = reasons[reason];
      const [name, contacts] = lists[list];
      const what = group === 0 && operation === "remove" ? "Not removed" : groups[group];
      const why = property ? `${title}: ${property}` : title;
      const date = since ? new Date(since * 1000).toISOString().slice(0, 16).replace("T", " ") : "";
      return {
        position, list: name, member, recordId, what, why, meaning, todo, message, since: date,
        contact: contacts && recordId && /^\d+$/.test(recordId) ? contacts + recordId : "",
        values: [member, name, what, why, since],
        text: [member, name, what, why, message, recordId || ""].join("\n"),
      };
    });
    const table = new Pages("members", rows, memberRow, 25);
    const [search, list, what] = ["search", "list", "what"].map((part) => byId(`members-${part}`));
    const options = (select, names) => select.append(...names.map((name) => new Option(name, name)));
    options(list, [...new Set(rows.map((each) => each.list))].sort(compare));
    options(what, [...new Set(rows.map((each) => each.what))]);
    const filter = () => {
      const wanted = search.value.trim().toLocaleLowerCase();
      table.filter((each) => (!list.value || each.list === list.value)
        && (!what.value || each.what === what.value) && contains(each.text, wanted));
      copy.textContent = COPY;
    };
    search.addEventListener("input", filter);
    list.addEventListener("change", filter);
    what.addEventListener("change", filter);
    const copy = byId("members-copy");
    const COPY = copy.textContent;
    copy.addEventListener("click", async () => {
      const text = asCsv(table.sorted());
      const copied = await copyText(text);
      byId("members-copied").textContent = copied
        ? `Copied ${NUMBER.format(table.found.length)} rows as CSV.`
        : "This browser does not let the page copy: use the CSV file beside it.";
    });
    byId("members-tools").hidden = false;
    table.show(0);
  }

  // A field that a spreadsheet would compute is quoted, as in the CSV file beside the page.
  const FORMULA = /^[\s\p{C}]*[=+\-@＝＋－＠]/u;
  const field = (value) => {
    const text = FORMULA.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  function asCsv(rows) {
    const heading = ["member", "record_id", "list", "what", "why", "meaning", "what_to_do", "message", "since"];
    const lines = rows.map((each) => [
      each.member, each.recordId || "", each.list, each.what, each.why, each.meaning, each.todo, each.message, each.since,
    ]);
    return [heading, ...lines].map((line) => line.map(field).join(",")).join("\r\n") + "\r\n";
  }

  async function copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // A browser that keeps the clipboard from files: the old way may do.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const copied = document.execCommand("copy");
      area.remove();
      return copied;
    }
  }

  function openTarget() {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  }

  function printAll() {
    let closed = [];
    addEventListener("beforeprint", () => {
      for (const each of document.querySelectorAll("details:not([open])")) {
        closed.push(each);
        each.open = true;
      }
    });
    addEventListener("afterprint", () => {
      for (const each of closed) each.open = false;
      closed = [];
    });
  }

  lists();
  members();
  printAll();
  addEventListener("hashchange", openTarget);
  if (location.hash) openTarget();
})();
