/*
 * The script of page.html: asks nginx each second for its numbers as JSON, and shows them.
 * docs/modules.md explains the numbers.
 */

'use strict';

const PERIOD = 1000;     /* ms from one request to the next */
const PATIENCE = 3000;   /* ms until a request or a process counts as hanging */
const SPAN = 5000;       /* ms over which a rate is computed */

const $ = id => document.getElementById(id);
const samples = [];      /* the last answers of nginx, the oldest first */
const stuck = new Map(); /* pid -> what was seen of it, and since when */
const events = [];
let paused = false, timer = 0, lastAnswer = 0, asked = false, bad = false;

/* Text only reaches the page through textContent, so nothing in it is markup. */

function element(name, text, type) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (type) made.className = type;
  return made;
}

function set(node, name, value) {
  if (node[name] !== value) node[name] = value;
}

function count(n) {
  if (n === undefined || n === null || !isFinite(n)) return '–';
  if (n < 10 && n % 1) return n.toFixed(1);
  if (n < 1e5) return Math.round(n).toLocaleString('en');
  const unit = n < 1e6 ? [1e3, 'k'] : n < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  return (n / unit[0]).toPrecision(3) + unit[1];
}

function bytes(n) {
  if (n === undefined || n < 0) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (n >= 1024 && i < 4) { n /= 1024; i++; }
  return (n < 10 && i ? n.toFixed(1) : Math.round(n)) + ' ' + units[i];
}

function duration(s) {
  if (s === undefined || s < 0) return '–';
  const [d, h, m] = [s / 86400 | 0, (s / 3600 | 0) % 24, (s / 60 | 0) % 60];
  if (d) return d + 'd ' + h + 'h';
  if (h) return h + 'h ' + m + 'm';
  return m ? m + 'm ' + s % 60 + 's' : s + 's';
}

function nanoseconds(n) {
  if (n < 1e3) return n + ' ns';
  if (n < 1e6) return Math.round(n / 1e3) + ' µs';
  return n < 1e9 ? Math.round(n / 1e6) + ' ms' : (n / 1e9).toFixed(1) + ' s';
}

/* Per second: how a counter has grown since the oldest sample that has it. */
function rate(find, name) {
  const now = samples[samples.length - 1];
  const then = samples.find(sample => find(sample.status));
  const [a, b] = [find(then.status), find(now.status)];
  if (then === now || !b || a[name] === undefined || b[name] < a[name]) return null;
  return (b[name] - a[name]) * 1000 / (now.at - then.at);
}

const sum = (list, name) => list.reduce((all, one) => all + (one[name] || 0), 0);

function nameOf(process) {
  return process.role === 'worker' ? 'worker ' + process.worker : process.name || process.role;
}

/* What is wrong with a process: [a word for it, a sentence], or nothing. */
function trouble(process, at) {
  const { pid, proc_state: state, messages_waiting: waiting = 0 } = process;
  const seen = stuck.get(pid);
  const received = process.messages_received;
  const same = seen && seen.state === state && seen.received === received && waiting > 0;
  const blocked = seen && seen.state === state && 'DZ'.includes(state);

  if (!same && !blocked) stuck.set(pid, { state, received, at });
  const hangs = at - stuck.get(pid).at >= PATIENCE;

  const queue = waiting ? ' ' + count(waiting) + ' messages wait for it.' : '';
  if (state === 'T' || state === 't') return ['stopped', 'is stopped, and does not run.' + queue];
  if (state === 'Z' && hangs) return ['dead', 'has died, and the master has not noticed.' + queue];
  if (state === 'D' && hangs) return ['blocked', 'waits for a disk or the kernel.' + queue];
  if (same && hangs) return ['does not answer', 'takes no messages.' + queue];
  return null;
}

function note(text) {
  events.unshift([new Date().toLocaleTimeString(), text]);
  events.length = Math.min(events.length, 20);
  const list = events.map(([time, what]) => {
    const line = element('li');
    line.append(element('time', time), what);
    return line;
  });
  $('events').replaceChildren(...list);
  $('events').parentElement.hidden = false;
}

/* Notes what has changed since the sample before. */
function compare(before, now) {
  if (before.program.master !== now.program.master) {
    note('other master: pid ' + before.program.master + ', now ' + now.program.master);
  }

  const generation = status => Math.max(...status.processes.map(p => p.generation), 0);
  if (generation(now) > generation(before)) note('reload: generation ' + generation(now));

  for (const process of now.processes) {
    const other = before.processes.find(p => p.slot === process.slot);
    if (other && other.generation === process.generation && other.pid !== process.pid) {
      note(nameOf(process) + (process.pid < 0 ? ' has died: pid ' + other.pid
        : other.pid < 0 ? ' was started again: pid ' + process.pid
        : ' has died and was started again: pid ' + other.pid + ', now ' + process.pid));
    }
  }

  for (const type of now.messages.types) {
    const other = before.messages.types.find(t => t.type === type.type) || {};
    const [lost, refused] = ['lost', 'refused'].map(name => type[name] - (other[name] || 0));
    if (lost > 0) note(count(lost) + ' messages of the type ' + type.type + ' were lost');
    if (refused > 0) note(count(refused) + ' messages of the type ' + type.type + ' were refused');
  }
}

/*
 * Shows rows in a table. A column is [label, class, row => text or {text, type, share}];
 * it is left out if no row has it. Rows and cells stay, so that a selection does too.
 */
function table(id, columns, rows, key) {
  const cells = rows.map(row => columns.map(([, , value]) => value(row)));
  const used = columns.map((_, c) => cells.some(row => row[c] !== null && row[c] !== undefined));
  const shown = columns.filter((_, c) => used[c]);
  const target = $(id);

  target.parentElement.hidden = !rows.length;
  const layout = shown.map(([label]) => label).join();
  if (target.dataset.layout !== layout) {
    target.dataset.layout = layout;
    const head = element('tr');
    head.append(...shown.map(([label, type]) => {
      const cell = element('th', label, type);
      cell.scope = 'col';
      return cell;
    }));
    target.replaceChildren(element('thead'), element('tbody'));
    target.tHead.append(head);
  }

  const body = target.tBodies[0];
  const old = new Map([...body.rows].map(row => [row.id, row]));
  rows.forEach((row, r) => {
    const name = id + '-' + key(row);
    let line = old.get(name);
    old.delete(name);
    if (!line) {
      line = element('tr');
      line.id = name;
      line.append(...shown.map(([label, type]) => {
        const cell = element('td', undefined, type);
        if (!/head|state/.test(type)) cell.dataset.label = label;
        cell.append(document.createTextNode(''));
        return cell;
      }));
    }
    if (body.rows[r] !== line) body.insertBefore(line, body.rows[r] || null);
    cells[r].filter((_, c) => used[c]).forEach((value, c) => fill(line.cells[c], value, shown[c][1]));
  });
  old.forEach(row => row.remove());
}

function fill(cell, value, type) {
  const { text = value ?? '–', type: more = '', share } = value ?? {};
  set(cell.firstChild, 'data', String(text));
  set(cell, 'className', (type + ' ' + more).trim());
  if (share === undefined) return;
  let bar = cell.querySelector('.bar');
  if (!bar) cell.append(bar = element('span', undefined, 'bar')), bar.append(element('i'));
  set(bar, 'className', share > 0.8 ? 'bar bad' : 'bar');
  bar.firstChild.style.width = Math.min(100, share * 100) + '%';
}

const warnIf = n => n === undefined ? null : { text: count(n), type: n > 0 ? 'warn' : '' };

function showProcesses(status, at) {
  const now = status.program.started + status.program.uptime;
  const rank = p => p.role === 'worker' ? p.worker : 1e6 + p.slot;
  const newest = Math.max(...status.processes.map(p => p.generation), 0);
  const rows = [...status.processes].sort((a, b) => b.generation - a.generation
    || rank(a) - rank(b));
  const problems = new Map(rows.map(p => [p, trouble(p, at)]));
  const of = process => s => s.processes.find(p => p.slot === process.slot && p.pid === process.pid);
  const cpu = process => {
    const [user, system] = ['cpu_user', 'cpu_system'].map(name => rate(of(process), name));
    return user === null || process.cpu_user < 0 ? '–' : Math.round((user + system) / 10) + '%';
  };
  const alive = new Set(rows.map(p => p.pid));
  for (const pid of stuck.keys()) if (!alive.has(pid)) stuck.delete(pid);

  table('processes', [
    ['Process', 'left head', nameOf],
    ['State', 'left state', p => problems.get(p) ? { text: problems.get(p)[0], type: 'bad' }
      : { text: p.state, type: p.state === 'running' ? 'good' : 'warn' }],
    ['Pid', '', p => p.pid < 0 ? '–' : p.pid],
    ['Generation', '', p => p.generation],
    ['Up', '', p => p.started === undefined ? null : p.pid < 0 ? '–' : duration(now - p.started)],
    ['Respawns', '', p => warnIf(p.respawns)],
    ['CPU', '', p => cpu(p)],
    ['Memory', '', p => bytes(p.rss)],
    ['Received/s', '', p => p.messages_size ? count(rate(of(p), 'messages_received')) : null],
    ['Lost', '', p => p.messages_size ? warnIf(p.messages_lost) : null],
    ['Waiting', '', p => p.messages_size ? { text: count(p.messages_waiting),
      type: problems.get(p) && p.messages_waiting ? 'bad' : '' } : null],
    ['Queue in use', '', p => p.messages_size ? { share: p.messages_used / p.messages_size,
      text: bytes(p.messages_used) + ' of ' + bytes(p.messages_size) } : null],
  ], rows, p => p.slot);

  const workers = rows.filter(p => p.role === 'worker');
  $('map').parentElement.hidden = workers.length <= 8;
  $('map').replaceChildren(...workers.map(p => {
    const problem = problems.get(p);
    const link = element('a', problem ? p.worker + '!' : p.worker,
      problem ? 'bad' : p.state === 'running' ? '' : 'warn');
    link.href = '#processes-' + p.slot;
    link.title = nameOf(p) + ', pid ' + p.pid + ': ' + (problem ? problem[0] : p.state);
    return link;
  }));

  const wrong = rows.filter(p => problems.get(p));
  const lines = wrong.slice(0, 5).map(p => nameOf(p) + ' (pid ' + p.pid + ') ' + problems.get(p)[1]);
  if (wrong.length > 5) lines.push(wrong.length - 5 + ' more processes hang.');
  if (lines.join() !== [...$('alerts').children].map(li => li.textContent).join()) {
    $('alerts').replaceChildren(...lines.map(line => element('li', line)));
  }
  return { workers, newest, hanging: wrong.length };
}

/* The time within which 99 of 100 measured messages were handled. */
function most(type) {
  let seen = 0;
  const k = (type.times || []).findIndex(n => (seen += n) >= type.timed * 0.99);
  return type.timed && k >= 0 ? '< ' + nanoseconds(2 ** k) : '–';
}

function show(status, at) {
  const before = samples[samples.length - 1];
  samples.push({ at, status });
  while (samples.length > 2 && at - samples[1].at >= SPAN) samples.shift();
  if (before) compare(before.status, status);

  const { workers, newest, hanging } = showProcesses(status, at);
  const { types } = status.messages;
  const of = type => s => s.messages.types.find(t => t.type === type.type);

  table('types', [
    ['Type', 'left head', t => t.type],
    ['Sent/s', '', t => count(rate(of(t), 'sent'))],
    ['Received/s', '', t => count(rate(of(t), 'received'))],
    ['Sent', '', t => count(t.sent)],
    ['Waiting', '', t => count(t.waiting)],
    ['Refused', '', t => warnIf(t.refused)],
    ['Lost', '', t => warnIf(t.lost)],
    ['No handler', '', t => warnIf(t.unknown)],
    ['99% within', '', most],
  ], types, t => t.type);

  table('zones', [
    ['Zone', 'left head', z => z.name],
    ['Size', '', z => bytes(z.size)],
    ['Pages in use', '', z => ({ text: count(z.pages - z.free) + ' of ' + count(z.pages),
      share: z.pages ? (z.pages - z.free) / z.pages : 0 })],
    ['Fragmentation', '', z => z.fragmentation + '%'],
    ['Lock', '', z => z.holder ? 'pid ' + z.holder : 'free'],
  ], status.zones || [], z => z.name);

  const rates = types.map(t => rate(of(t), 'sent'));
  const tiles = [
    ['Workers', workers.filter(p => p.state === 'running').length],
    ['Generation', newest],
    ['Uptime', status.program.started ? duration(status.program.uptime) : null],
    ['Respawns', workers.some(p => p.respawns !== undefined) ? sum(workers, 'respawns') : null],
    ['Requests/s', count(rate(s => s.counters, 'requests'))],
    ['Messages/s', types.length ? count(rates.reduce((a, b) => a + b, 0)) : null],
    ['Waiting', types.length ? count(sum(types, 'waiting')) : null],
    ['Refused', types.length ? count(sum(types, 'refused')) : null],
    ['Lost', types.length ? count(sum(types, 'lost')) : null],
  ].filter(([, value]) => value !== null);
  $('tiles').replaceChildren(...tiles.map(([label, value]) => {
    const tile = element('div');
    tile.append(element('dt', label), element('dd', value));
    return tile;
  }));

  set($('title'), 'textContent', 'nginx on ' + location.host);
  set(document, 'title', (hanging ? '! ' : '') + 'nginx on ' + location.host);
  set($('about'), 'textContent', 'Master: pid ' + status.program.master
    + '. ngx-ipc ' + status.program.library + '.');
}

function state(text, type) {
  set($('live'), 'textContent', text);
  set($('live'), 'className', type);
  document.body.classList.toggle('stale', type === 'bad');
}

function failed(error, late) {
  const silent = late || error instanceof TypeError;
  const since = lastAnswer ? duration(Math.round((performance.now() - lastAnswer) / 1000)) : '';
  const what = silent ? 'nginx does not answer' : error.message;

  if (!bad) note(late ? 'a request got no answer within ' + PATIENCE / 1000 + ' s' : what);
  bad = true;
  state(what + (since ? ', last answer ' + since + ' ago' : ''), 'bad');
}

/* Asks nginx.  Returns the status, or nothing if it has failed. */
async function request() {
  const abort = new AbortController();
  const late = setTimeout(() => abort.abort(), PATIENCE);

  try {
    const answer = await fetch(location.pathname + location.search, {
      headers: { Accept: 'application/json' }, cache: 'no-store', signal: abort.signal,
    });
    if (!answer.ok) throw new Error('nginx answers with status ' + answer.status);
    return await answer.json();
  } catch (error) {
    failed(error, abort.signal.aborted);
  } finally {
    clearTimeout(late);
  }
}

async function ask() {
  if (asked) return;
  asked = true;
  clearTimeout(timer);
  const began = performance.now();

  try {
    const status = await request();
    if (!status) return;
    if (bad) note('nginx answers again');
    bad = false;
    lastAnswer = performance.now();
    show(status, lastAnswer);
    state(paused ? 'Paused' : 'Live', paused ? '' : 'good');
  } finally {
    asked = false;
    if (!paused && !document.hidden) {
      timer = setTimeout(ask, Math.max(PERIOD - (performance.now() - began), PERIOD / 4));
    }
  }
}

$('pause').addEventListener('click', () => {
  paused = !paused;
  $('pause').textContent = paused ? 'Continue' : 'Pause';
  $('pause').setAttribute('aria-pressed', paused);
  clearTimeout(timer);
  if (paused) state('Paused', ''); else ask();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden && !paused) ask(); });
ask();
