// nabat.js -- errors of web pages and Mini Apps, to Nabat. One file, no dependency; see README.md beside it.
//
//   <script src="nabat.js" data-dsn="https://KEY@nabat.example/2"></script>
//
// Events wait in a queue, leave together every 5 s and when the page is hidden. Nothing here throws into the page.
// Values of fields, query strings and what is behind # (initData!) never leave.
(function (w, d) {
  'use strict';
  var QUEUE_MAX = 100, FLUSH_MS = 5000, CRUMBS_MAX = 20, SAME_MAX = 10, KINDS_MAX = 300, BATCH_BYTES_MAX = 60000, BACKOFF_MAX = 60000;
  var o = { // what init() takes
    dsn: '', release: '', environment: '', origin: '', handler: '', sample: 1, ignore: [], beforeSend: null,
    clicks: true, navigation: true, forms: true, resources: true, requests: true, longTasks: true, timing: false,
    slowRequest: 5000, slowTask: 2000, sentry: null
  };
  var queue = [], crumbs = [], same = {}, context = {}, url = '', on = false, wait = 0, until = 0, dropped = 0, busy = false, kinds = 0;
  var nativeFetch = w.fetch;

  function safe(f) { return function () { try { return f.apply(this, arguments); } catch (e) { /* go on */ } }; }
  function cut(text, max) { text = String(text); return text.length > max ? text.slice(0, max) + '…' : text; }
  function bare(href) { return String(href || '').split(/[?#]/)[0].replace(/\/\/[^/@]*@/, '//'); }
  // of addresses in stacks the query goes, lines and columns stay
  function words(text) {
    return cut(text, 30000).replace(/(\b\w+:\/\/[^\s?#'")]*)[?#][^\s'")]*?((?::\d+){0,2}(?=[\s'")]|$))/g, '$1$2')
      .replace(/((?:password|passwd|secret|token|api_?key|initdata)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&]+)/gi, '$1[Filtered]');
  }
  function hex() {
    var bytes = w.crypto.getRandomValues(new Uint8Array(16)), out = '';
    bytes.forEach(function (b) { out += (b + 256).toString(16).slice(1); });
    return out;
  }
  function stored(storage, name, make) {
    try {
      var found = w[storage].getItem(name);
      if (!found && make) w[storage].setItem(name, found = make());
      return found;
    } catch (e) { return make ? make() : null; } // closed to this page
  }

  // -- who: of initData two numbers
  function telegram() {
    var app = w.Telegram && w.Telegram.WebApp, told = app && app.initDataUnsafe, out = {};
    if (!told || !(told.user || told.chat)) {
      var launch = new URLSearchParams(new URLSearchParams(w.location.hash.slice(1)).get('tgWebAppData') || '');
      told = { user: JSON.parse(launch.get('user') || 'null'), chat: JSON.parse(launch.get('chat') || 'null') };
    }
    if (told.user) out.user_id = told.user.id;
    if (told.chat || told.user) out.chat_id = (told.chat || told.user).id;
    return out;
  }

  // -- what leaves
  function timing() {
    var n = w.performance && performance.getEntriesByType('navigation')[0];
    return n && { dns: n.domainLookupEnd - n.domainLookupStart | 0, answer: n.responseStart | 0,
      ready: n.domContentLoadedEventEnd | 0, loaded: n.loadEventEnd | 0 };
  }
  function enqueue(e, error) {
    if (!on) return null;
    var key = e.message + (e.exception ? e.exception.type + e.exception.value : '');
    same[key] = (same[key] || 0) + 1;
    if (same[key] === 1 && ++kinds > KINDS_MAX) same = {}, kinds = 0;
    if (same[key] > SAME_MAX || o.ignore.some(function (i) { return i.test ? i.test(key) : key.indexOf(i) >= 0; })) return null;
    var path = bare(w.location.href), event = {
      event_id: (error && error.__nabat) || hex(), occurred_at: Date.now() / 1000, severity: 'error', origin: o.origin,
      handler: o.handler || w.location.pathname.replace(/\d+/g, '{n}'), session_id: stored('sessionStorage', 'nabat', hex),
      breadcrumbs: crumbs.slice(), payload: { url: path, referrer: bare(d.referrer), browser: navigator.userAgent,
        language: navigator.language, screen: w.innerWidth + 'x' + w.innerHeight, timing: timing() } };
    if (o.release) event.release = o.release;
    if (o.environment) event.environment = o.environment;
    [context, e].forEach(function (from) {
      Object.keys(from).forEach(function (k) {
        event[k] = k === 'payload' || k === 'tags' ? Object.assign({}, event[k], from[k]) : from[k];
      });
    });
    if (o.beforeSend && !(event = o.beforeSend(event))) return null;
    if (dropped) { event.payload.dropped_before = dropped; dropped = 0; }
    if (error) try { Object.defineProperty(error, '__nabat', { value: event.event_id, configurable: true }); } catch (x) { /* frozen */ }
    queue.push(event);
    if (queue.length > QUEUE_MAX) { queue.shift(); dropped++; }
    return event.event_id;
  }
  function said(thing) { try { return JSON.stringify(thing); } catch (e) { return String(thing); } }
  function failed(error, how, more) {
    if (error && error.__nabatSeen) return null;
    var is = error instanceof Error || (error && error.stack), e = Object.assign({}, more);
    if (is) {
      e.exception = { type: error.name || 'Error', value: cut(words(error.message), 4000), stacktrace: words(error.stack || '') };
      try { Object.defineProperty(error, '__nabatSeen', { value: true }); } catch (x) { /* frozen */ }
    } else e.message = cut(words(typeof error === 'object' ? said(error) : error), 4000);
    e.tags = Object.assign({ how: how }, e.tags);
    return enqueue(e, is ? error : null);
  }
  function crumb(category, message, data) {
    crumbs.push({ timestamp: Date.now() / 1000, category: category, message: cut(message, 200), data: data });
    if (crumbs.length > CRUMBS_MAX) crumbs.shift();
  }
  function size(text) { return new Blob([text]).size; } // bytes: a Cyrillic letter is two
  function batch() { // what a beacon may carry, but one at least
    var n = 0, bytes = 2;
    while (n < queue.length && (bytes += size(JSON.stringify(queue[n])) + 1) < BATCH_BYTES_MAX) n++;
    return queue.splice(0, n || 1);
  }
  function flush() {
    if (!queue.length || busy || Date.now() < until || !nativeFetch) return;
    var sending = batch(), body = JSON.stringify(sending);
    busy = true;
    // plain text, key in the query: no preflight. keepalive refuses what is larger than a beacon
    nativeFetch.call(w, url, { method: 'POST', body: body, keepalive: size(body) < BATCH_BYTES_MAX, credentials: 'omit' })
      .then(function (a) { if (a.status === 429 || a.status >= 500) throw a; wait = 0; return a.text(); }) // read: else it still counts as under way
      .catch(function () {
        wait = Math.min(wait * 2 || FLUSH_MS, BACKOFF_MAX);
        until = Date.now() + wait;
        queue = sending.concat(queue);
        if (queue.length > QUEUE_MAX) { dropped += queue.length - QUEUE_MAX; queue.splice(0, queue.length - QUEUE_MAX); }
      }).then(function () { busy = false; if (queue.length && !wait) flush(); });
  }
  // A browser takes 64 KB of beacons; what is more, or just refused, waits for the site's next page
  function keep(events) {
    var left = JSON.parse(stored('localStorage', 'nabat-left') || '[]').concat(events).slice(-QUEUE_MAX);
    w.localStorage.setItem('nabat-left', JSON.stringify(left));
  }
  function leave() {
    while (queue.length && !wait) {
      var sending = batch();
      if (!navigator.sendBeacon || !navigator.sendBeacon(url, JSON.stringify(sending))) { queue = sending.concat(queue); break; }
    }
    if (queue.length) keep(queue);
    queue = [];
  }
  function comeBack() {
    queue = JSON.parse(stored('localStorage', 'nabat-left') || '[]').concat(queue).slice(-QUEUE_MAX);
    w.localStorage.removeItem('nabat-left');
  }

  // -- what happens on the page
  function name(el) {
    var out = el.tagName.toLowerCase();
    return out + (el.id ? '#' + el.id : el.name ? '[name=' + el.name + ']' : '') +
      (typeof el.className === 'string' && el.className ? '.' + el.className.trim().split(/\s+/)[0] : '');
  }
  function request(method, target, start, status) {
    var ms = Date.now() - start, what = method + ' ' + bare(new URL(target, w.location));
    crumb('request', what + ' ' + (status || 'failed'), { ms: ms, status: status });
    if (o.slowRequest && ms > o.slowRequest)
      enqueue({ message: 'Slow request: ' + what, severity: 'warning', payload: { ms: ms, status: status } });
  }
  function ours(target) { return String(target).indexOf(url.split('?')[0]) === 0; }
  function watchRequests() {
    if (nativeFetch) w.fetch = function (input, init) {
      var start = Date.now(), target = (input && input.url) || input, method = (init && init.method) || (input && input.method) || 'GET';
      var answer = nativeFetch.apply(w, arguments);
      if (!ours(target)) answer.then(safe(function (a) { request(method, target, start, a.status); }),
        safe(function () { request(method, target, start, 0); }));
      return answer;
    };
    var open = w.XMLHttpRequest && XMLHttpRequest.prototype.open;
    if (open) XMLHttpRequest.prototype.open = function (method, target) {
      var start = Date.now();
      this.addEventListener('loadend', safe(function () { request(method, target, start, this.status); }));
      return open.apply(this, arguments);
    };
  }
  function watchNavigation() {
    var last = bare(w.location.href), moved = safe(function () {
      var now = bare(w.location.href);
      if (now !== last) crumb('navigation', bare(last) + ' → ' + now);
      last = now;
    });
    ['pushState', 'replaceState'].forEach(function (f) {
      var original = history[f];
      history[f] = function () { var out = original.apply(this, arguments); moved(); return out; };
    });
    w.addEventListener('popstate', moved);
  }
  function watchTasks() {
    new PerformanceObserver(safe(function (list) {
      list.getEntries().forEach(function (t) {
        var ms = Math.round(t.duration);
        if (ms >= 200) crumb('longtask', ms + ' ms');
        if (o.slowTask && ms > o.slowTask) enqueue({ message: 'The page stood still', severity: 'warning', payload: { ms: ms } });
      });
    })).observe({ type: 'longtask', buffered: true });
  }
  function closest(e) { return e.target && e.target.closest && !e.target.closest('[data-nabat-ignore]') && e.target; }
  function watch() {
    w.addEventListener('error', safe(function (e) {
      if (e.target && e.target !== w && e.target.tagName) {
        if (o.resources && closest(e)) enqueue({ message: 'Not loaded: ' + name(e.target) + ' ' +
          bare(e.target.src || e.target.href), severity: 'warning', tags: { how: 'resource' } });
      } else failed(e.error || e.message, 'onerror', { payload: { at: bare(e.filename) + ':' + e.lineno + ':' + e.colno } });
    }), true);
    w.addEventListener('unhandledrejection', safe(function (e) { failed(e.reason, 'unhandledrejection'); }));
    if (o.clicks) d.addEventListener('click', safe(function (e) { var el = closest(e); if (el) crumb('click', name(el)); }), true);
    if (o.forms) d.addEventListener('submit', safe(function (e) {
      var form = closest(e);
      if (form) crumb('form', name(form), { fields: [].map.call(form.elements, function (f) { return f.name; }).filter(Boolean).slice(0, 30) });
    }), true);
    if (o.navigation) safe(watchNavigation)();
    if (o.requests) safe(watchRequests)();
    if (o.longTasks && w.PerformanceObserver) safe(watchTasks)();
    if (o.timing) w.addEventListener('load', function () {
      setTimeout(safe(function () { enqueue({ message: 'Page timing', severity: 'info', tags: { how: 'timing' } }); }), 0);
    });
    w.addEventListener('pagehide', safe(leave));
    w.addEventListener('pageshow', safe(comeBack));
    d.addEventListener('visibilitychange', safe(function () { if (d.visibilityState === 'hidden') leave(); else comeBack(); }));
    setInterval(safe(flush), FLUSH_MS);
  }
  function joinSentry(sentry) { // one of the two sends it
    if (sentry && sentry.addEventProcessor) sentry.addEventProcessor(function (event, hint) {
      var error = hint && hint.originalException;
      if (error && error.__nabatSeen) return null;
      try { Object.defineProperty(error, '__nabat', { value: event.event_id, configurable: true }); } catch (e) { /* no object */ }
      return event;
    });
  }

  w.nabat = {
    init: safe(function (options) {
      if (on) return;
      Object.assign(o, options);
      var parts = /^(https?:)\/\/([^@/]+)@(.+)\/\d+\/?$/.exec(o.dsn);
      if (!parts) { console.warn('nabat: the DSN is scheme://KEY@host/PROJECT'); return; }
      if (stored('localStorage', 'nabat-off') || Math.random() >= o.sample) return;
      url = parts[1] + '//' + parts[3] + '/api/events?key=' + encodeURIComponent(parts[2]);
      context = safe(telegram)() || {};
      o.origin = o.origin || (context.user_id || context.chat_id ? 'miniapp' : 'browser');
      on = true;
      safe(comeBack)();
      watch();
      joinSentry(o.sentry || w.Sentry);
    }),
    set: safe(function (fields) { Object.assign(context, fields); }),
    breadcrumb: safe(function (message, data) { crumb('custom', message, data); }),
    log: safe(function (error, fields) { return failed(error, 'log', fields); }),
    event: safe(function (message, payload) { return enqueue({ message: message, severity: 'info', payload: payload || {} }); }),
    flush: safe(flush),
    optOut: safe(function () { on = false; queue = []; w.localStorage.setItem('nabat-off', '1'); }),
    optIn: safe(function () { w.localStorage.removeItem('nabat-off'); })
  };
  var tag = d.currentScript;
  if (tag && tag.dataset.dsn) w.nabat.init(Object.assign({}, tag.dataset,
    tag.dataset.sample ? { sample: +tag.dataset.sample } : {}));
})(window, document);
