// Asks for the status each second and moves what has changed into the nodes that stand already: nothing flickers, a
// selection of text stays, and names are text nodes, whatever they hold.

import { Curve, HeatMap, SECONDS } from "/charts.js";

const find = (id) => document.getElementById(id);
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
// A number and its unit stay on one line.
const percent = (value) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)}\u00a0%`;
const bytes = (value) => {
  const power = value < 1024 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), 4);
  const number = value / 1024 ** power;
  return `${number.toFixed(power && number < 100 ? 1 : 0)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
};
const duration = (seconds) =>
  seconds >= 7200 ? `${Math.round(seconds / 3600)} h`
  : seconds >= 120 ? `${Math.round(seconds / 60)} min`
  : seconds >= 10 ? `${Math.round(seconds)} s`
  : seconds >= 1 ? `${seconds.toFixed(1)} s`
  : seconds >= 1e-3 ? `${(1e3 * seconds).toFixed(1)} ms`
  : seconds > 0 ? `${Math.round(1e6 * seconds)} µs` : "0";

const HEATS = {
  wait: (value) => duration(value / 1e6), writes: (value) => `${compact.format(value)} writes`,
  deletes: (value) => `${compact.format(value)} deletes`, entries: (value) => `${compact.format(value)} entries`,
};
const INDICATORS = {
  delete_ratio: ["delete share, 60 s", percent],
  size_mutation_ratio: ["size mutation, 15 s", percent],
  size_mutation_streak: ["mutations in a row", String],
  delete_during_iteration_ratio: ["deletes during iteration", percent],
  shard_imbalance_ratio: ["hottest shard / mean", (value) => `${value.toFixed(1)} ×`],
  conflict_ratio: ["lock conflicts, 5 s", percent],
  iterator_age_seconds: ["oldest iterator at rest", duration],
};
const LEVELS = ["quiet", "amber", "red"];

// A column a map: its class, its text, what it is sorted by.
const value = (map, name) => map.indicators[name].value;
const COLUMNS = [
  ["level", stateClass, stateWord, (map) => LEVELS.indexOf(map.level)],
  ["name", () => "", (map) => map.name, (map) => map.name],
  ["entries", () => "", (map) => compact.format(map.entries), (map) => map.entries],
  ["bytes", () => "wide", (map) => bytes(map.bytes), (map) => map.bytes],
  ["writes", () => "wide", (map) => compact.format(map.writes_per_second), (map) => map.writes_per_second],
  ["loads", () => "wide", (map) => compact.format(map.loads_per_second), (map) => map.loads_per_second],
  indicatorColumn("delete_ratio"), indicatorColumn("size_mutation_ratio"), indicatorColumn("size_mutation_streak", "wide"),
  [
    "wait", (map) => `wide ${map.indicators.conflict_ratio.level}`, (map) => duration(map.lock_wait_seconds_per_second),
    (map) => map.lock_wait_seconds_per_second,
  ],
  indicatorColumn("shard_imbalance_ratio", "wide"),
  [
    "iterators", (map) => `wide ${map.indicators.iterator_age_seconds.level}`, (map) => String(map.open_iterators),
    (map) => map.open_iterators,
  ],
];

function indicatorColumn(name, width = "") {
  return [
    name, (map) => `${width} ${map.indicators[name].level}`, (map) => INDICATORS[name][1](value(map, name)),
    (map) => value(map, name),
  ];
}

function stateWord(map) {
  if (map.signature) return "accident";
  return map.level === "quiet" && !map.judged ? "calm" : { quiet: "quiet", amber: "watch", red: "alarm" }[map.level];
}

function stateClass(map) {
  return map.level === "quiet" && !map.judged ? "settling" : map.level;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

/// Makes the children of `parent` one a item, in their order; nodes that stand are kept and, where they are right, not
/// even moved.
function patchList(parent, items, key, create, update) {
  parent.nodes ??= new Map();
  const gone = new Set(parent.nodes.keys());
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    gone.delete(name);
    let node = parent.nodes.get(name);
    if (!node) {
      node = create(item);
      parent.nodes.set(name, node);
    }
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
    update(node, item);
  }
  for (const name of gone) {
    parent.nodes.get(name).remove();
    parent.nodes.delete(name);
  }
}

function element(name, ...children) {
  const node = document.createElement(name);
  node.append(...children);
  return node;
}

// ---- state

let status = null;
let chosen = decodeURIComponent(location.hash.slice(1));
let order = { key: "name", descending: false };
let history = { name: "", heat: "", shards: 0, samples: [] };
let lastAnswer = 0;
let asking = null;
const size = new Curve(find("size"));
const share = new Curve(find("share"));
const heatMap = new HeatMap(find("heatmap"));

// ---- the table of maps

function drawMaps() {
  const wanted = find("filter").value.trim().toLowerCase();
  const sortKey = COLUMNS.find(([key]) => key === order.key)[3];
  const sign = order.descending ? -1 : 1;
  const maps = status.maps.filter((map) => map.name.includes(wanted)).sort((left, right) => {
    const [a, b] = [sortKey(left), sortKey(right)];
    return a < b ? -sign : a > b ? sign : left.name < right.name ? -1 : 1;
  });
  patchList(find("maps").tBodies[0], maps, (map) => map.name, createMapRow, (row, map) => {
    setClass(row, map.name === chosen ? "chosen" : "");
    COLUMNS.forEach(([key, className, text], index) => {
      const cell = row.cells[index];
      setClass(cell, className(map).trim());
      setText(key === "name" ? cell.firstElementChild : cell, text(map));
    });
  });
  setText(find("shown"), maps.length === status.maps.length ? String(maps.length) : `${maps.length} of ${status.maps.length}`);
  find("no-maps").hidden = status.maps.length > 0;
}

function createMapRow(map) {
  const link = element("a");
  link.href = `#${encodeURIComponent(map.name)}`;
  const row = element("tr", ...COLUMNS.map(([key]) => (key === "name" ? element("td", link) : element("td"))));
  row.addEventListener("click", () => {
    location.hash = link.hash;
  });
  return row;
}

// ---- one map

function drawDetail() {
  const map = status.maps.find((map) => map.name === chosen);
  find("detail").hidden = !map;
  if (!map) return;
  setText(find("detail-title"), map.name);
  const kind = `${map.strategy}, ${map.shards} ${map.shards === 1 ? "shard" : "shards"}, mode ${map.mode}.`;
  const judged = map.judged ? "" : " Its lines do not count now: it is younger than two minutes, smaller than 1,000 entries, or idle.";
  const signature = map.signature ? " It shows the signature of an accident." : "";
  setText(find("verdict"), `${kind}${signature}${judged}`);
  patchList(find("indicators"), Object.entries(map.indicators), ([name]) => name, createIndicator, updateIndicator);
  drawHistory(map);
}

function createIndicator() {
  return element("li", element("span"), element("b"), element("small"));
}

function updateIndicator(item, [name, { value, amber, red, level }]) {
  const [title, format] = INDICATORS[name];
  setClass(item, level);
  const [label, number, lines] = item.children;
  setText(label, title);
  setText(number, format(value));
  const levels = Object.entries({ amber, red }).filter(([, line]) => line !== undefined);
  setText(lines, levels.map(([word, line]) => `${word} ${format(line)}`).join(", "));
}

function drawHistory(map) {
  const { samples, shards, heat } = history;
  if (history.name !== map.name || samples.length === 0) return;
  const age = (sample) => (status.t - sample.t) / 1000;
  const largest = Math.max(1, ...samples.map((sample) => sample.bytes));
  size.draw(samples.map((sample) => [age(sample), sample.bytes]), 1.05 * largest, {}, `size now ${bytes(map.bytes)}`);
  setText(find("size-now"), `${bytes(map.bytes)}, top ${bytes(largest)}`);
  const now = map.indicators.delete_ratio;
  share.draw(
    samples.map((sample) => [age(sample), sample.delete_ratio]), 1, { amber: now.amber, red: now.red },
    `delete share now ${percent(now.value)}`);
  setText(find("share-now"), percent(now.value));

  const columns = samples.filter((sample) => sample.heat).map((sample) => [age(sample), sample.heat]);
  find("no-shards").hidden = columns.length > 0;
  const peak = heatMap.draw(columns, shards);
  const unit = heat === "entries" ? "" : " in one second";
  setText(find("scale"), peak > 0 ? `brightest: ${HEATS[heat](peak)}${unit}` : `nothing in the last ${SECONDS} s`);
  find("heatmap").setAttribute("aria-label", `${shards} shards by second; largest ${HEATS[heat](peak)}`);
  drawHottest(columns, shards, heat);
}

function drawHottest(columns, shards, heat) {
  const recent = heat === "entries" ? columns.slice(-1) : columns.filter(([age]) => age < 10);
  const sums = Array.from({ length: shards }, (_, shard) => ({
    shard, sum: recent.reduce((total, [, values]) => total + values[shard], 0),
  }));
  const top = sums.filter(({ sum }) => sum > 0).sort((left, right) => right.sum - left.sum || left.shard - right.shard).slice(0, 10);
  patchList(
    find("hottest"), top, ({ shard }) => shard, () => element("li", element("span"), element("i"), element("b")),
    (item, { shard, sum }) => {
      setText(item.children[0], shardName(shard, shards));
      item.children[1].style.width = `${(100 * sum) / top[0].sum}%`;
      setText(item.children[2], HEATS[heat](sum));
    });
}

/// As in the label `shard_id`.
function shardName(shard, shards) {
  return String(shard).padStart(String(shards - 1).length, "0");
}

// ---- incidents, who scrapes, and the head of the page

function drawIncidents() {
  patchList(
    find("incidents").tBodies[0], status.incidents, ({ id }) => id,
    () => element("tr", element("td", element("a")), element("td"), element("td"), element("td")),
    (row, incident) => {
      const link = row.cells[0].firstChild;
      link.href = `/api/v1/incidents/${incident.id}`;
      setText(link, incident.time.replace("T", " ").replace("Z", " UTC"));
      const texts = [incident.kind.replace("_", " "), incident.map ?? "all maps", incident.note];
      texts.forEach((text, index) => setText(row.cells[index + 1], text));
    });
  find("incidents-section").hidden = status.incidents.length === 0;
}

function drawScrapers() {
  patchList(
    find("scrapers").tBodies[0], status.scrapers, ({ name }) => name,
    () => element("tr", element("td"), element("td"), element("td"), element("td")),
    (row, scraper) => {
      const every = scraper.interval_seconds;
      const texts = [
        scraper.name || "(no name)", `${duration(scraper.seconds_ago)} ago`, every === null ? "–" : duration(every),
        compact.format(scraper.scrapes),
      ];
      texts.forEach((text, index) => setText(row.cells[index], text));
    });
  find("scrapers").hidden = status.scrapers.length === 0;
  find("no-scrapers").hidden = status.scrapers.length > 0;
}

function drawHead() {
  setText(find("version"), status.version);
  const limit = status.max_bytes === null ? "" : ` of ${bytes(status.max_bytes)}`;
  setText(find("memory"), `${bytes(status.allocated_bytes)}${limit} for maps`);
  const playing = status.playing;
  find("playing").hidden = !playing;
  if (playing) {
    setText(find("playing"), `demo: ${playing.title}, ${playing.phase}, second ${playing.second} of ${playing.seconds}`);
  }
  const alarmed = status.maps.filter((map) => map.level === "red").length;
  document.title = alarmed ? `(${alarmed}) mapwatch` : "mapwatch";
}

function drawPulse(problem) {
  const pulse = find("pulse");
  pulse.classList.toggle("stale", Boolean(problem));
  const silent = lastAnswer ? ` for ${duration((performance.now() - lastAnswer) / 1000)}` : "";
  setText(pulse, problem ? `no answer${silent}: ${problem}` : `live, up ${duration(status.uptime_seconds)}`);
}

function draw() {
  if (!chosen && status.maps.length) {
    chosen = status.maps.reduce((worst, map) => (LEVELS.indexOf(map.level) > LEVELS.indexOf(worst.level) ? map : worst)).name;
  }
  drawHead();
  drawMaps();
  drawDetail();
  drawIncidents();
  drawScrapers();
}

// ---- asking

/// The samples that are new; all 120 s of a map, or of a heat, that was not shown yet.
function target(heat) {
  const known = history.name === chosen && history.heat === heat ? history.samples.at(-1)?.t : undefined;
  const seconds = known === undefined ? SECONDS : Math.min(SECONDS, Math.ceil((status.t - known) / 1000) + 4);
  const query = chosen ? `?${new URLSearchParams({ map: chosen, heat, seconds })}` : "";
  return `/api/v1/status${query}`;
}

function keep(selected) {
  if (!selected) return;
  const continues = history.name === selected.name && history.heat === selected.heat && history.shards === selected.shards;
  const old = continues ? history.samples : [];
  const first = selected.samples[0]?.t ?? Infinity;
  const samples = [...old.filter((sample) => sample.t < first), ...selected.samples].slice(-SECONDS);
  history = { name: selected.name, heat: selected.heat, shards: selected.shards, samples };
}

async function ask() {
  asking?.abort();
  const mine = (asking = new AbortController());
  const timer = setTimeout(() => mine.abort(), 5000);
  try {
    const answer = await fetch(target(find("heat").value), { signal: mine.signal });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const next = await answer.json();
    if (mine !== asking) return;
    status = next;
    keep(status.selected);
    lastAnswer = performance.now();
    const chose = chosen;
    draw();
    drawPulse();
    if (chosen !== chose) ask();
  } catch (error) {
    if (mine === asking) drawPulse(error.name === "AbortError" ? "timed out" : error.message);
  } finally {
    clearTimeout(timer);
  }
}

window.addEventListener("hashchange", () => {
  chosen = decodeURIComponent(location.hash.slice(1));
  if (status) draw();
  ask();
  // On a narrow page the shards are below the table.
  if (chosen) find("detail").scrollIntoView({ block: "nearest" });
});
find("filter").addEventListener("input", () => status && drawMaps());
find("heat").addEventListener("change", ask);
find("heatmap").addEventListener("pointermove", (event) => {
  const { age, shard } = heatMap.at(event);
  const sample = history.samples.find((sample) => Math.round((status.t - sample.t) / 1000) === age);
  const text = sample?.heat ? HEATS[history.heat](sample.heat[shard]) : "–";
  setText(find("pointed"), `shard ${shardName(shard, history.shards)}, ${age} s ago: ${text}`);
});
for (const button of document.querySelectorAll("#maps th button")) {
  button.addEventListener("click", () => {
    const { key } = button.dataset;
    // Names begin with a, numbers with the largest.
    order = { key, descending: order.key === key ? !order.descending : key !== "name" };
    for (const head of document.querySelectorAll("#maps th")) head.removeAttribute("aria-sort");
    button.parentElement.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
    if (status) drawMaps();
  });
}
setInterval(() => document.hidden || ask(), 1000);
document.addEventListener("visibilitychange", () => document.hidden || ask());
ask();
